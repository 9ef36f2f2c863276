import Bytes
import Crypto
import Quantization
import Tensors

/// Reads extents piece by piece: checksum, digest, zeros between contents, special values.
struct ExtentScan {
  /// How many bytes are read at once: a multiple of the size of every element. Pieces of 256 KiB
  /// would stay in a processor's second cache, but the kernel takes a third longer to copy them.
  static let pieceByteCount = 1 << 20

  let reader: ContainerReader
  let contents: [[ExtentContent]]
  /// Whether NaN and infinities are nothing wrong in tensors that were not quantized.
  let allowsNonFinite: Bool
  private var piece = [UInt8](repeating: 0, count: pieceByteCount)

  init(reader: ContainerReader, contents: [[ExtentContent]], allowsNonFinite: Bool) {
    self.reader = reader
    self.contents = contents
    self.allowsNonFinite = allowsNonFinite
  }

  /// - Parameter advance: is told the size of each piece that is done; what it throws ends the
  ///   scan.
  mutating func run(
    _ extent: ContainedExtent, _ findings: inout [ContainerFinding],
    advance: (_ byteCount: Int) throws -> Void
  ) throws {
    let expectedDigest = try reader.digest(ofExtent: extent.index)
    var checksum = Checksum()
    var digest = expectedDigest == nil ? nil : SHA256()
    var values: [Int: (scales: SpecialValues, elements: SpecialValues)] = [:]
    var firstNotZero: Int?
    var next = 0
    var start = extent.byteRange.lowerBound
    while start < extent.byteRange.upperBound {
      let end = min(start + Self.pieceByteCount, extent.byteRange.upperBound)
      try read(start..<end)
      let bytes = piece.rawSpan.extracting(first: end - start)
      checksum.update(bytes)
      unsafe bytes.withUnsafeBytes { unsafe digest?.update(bufferPointer: $0) }
      var gapStart = start
      // Contents that end in this piece are done; one that goes on stays the next.
      while next < contents[extent.index].count {
        let content = contents[extent.index][next]
        guard content.byteRange.lowerBound < end else { break }
        let part = content.byteRange.clamped(to: start..<end)
        firstNotZero = firstNotZero ?? notZero(gapStart..<max(gapStart, part.lowerBound), start)
        gapStart = max(gapStart, part.upperBound)
        add(
          content, at: part.lowerBound - content.byteRange.lowerBound,
          part.lowerBound - start..<part.upperBound - start, &values)
        guard content.byteRange.upperBound <= end else { break }
        next += 1
      }
      firstNotZero = firstNotZero ?? notZero(gapStart..<end, start)
      try advance(end - start)
      start = end
    }
    if checksum.value() != extent.checksum {
      findings.append(
        .damage(byteOffset: extent.byteRange.lowerBound, .extentChecksum(extent: extent.index)))
    }
    if let digest, Array(digest.finalize()) != expectedDigest {
      findings.append(
        .damage(byteOffset: extent.byteRange.lowerBound, .extentDigest(extent: extent.index)))
    }
    if let firstNotZero { findings.append(.damage(byteOffset: firstNotZero, .notZero)) }
    try report(values, &findings)
  }

  private mutating func read(_ range: Range<Int>) throws(ContainerError) {
    let file = reader.file
    do throws(BytesError) {
      var all = piece.mutableRawSpan
      var bytes = all.slice(0..<range.count)
      try file.read(at: range.lowerBound, into: &bytes)
    } catch {
      throw .file(error)
    }
  }

  /// The first byte of a range of the file that is not zero.
  private func notZero(_ range: Range<Int>, _ pieceStart: Int) -> Int? {
    for byteOffset in range where piece[byteOffset - pieceStart] != 0 { return byteOffset }
    return nil
  }

  /// Looks at a part of a content.
  /// - Parameters:
  ///   - start: where the part starts in the content.
  ///   - part: where it lies in the piece.
  private func add(
    _ content: ExtentContent, at start: Int, _ part: Range<Int>,
    _ values: inout [Int: (scales: SpecialValues, elements: SpecialValues)]
  ) {
    guard let tensor = content.tensor, !part.isEmpty else { return }
    let bytes = piece.span.extracting(part)
    switch content.kind {
    case .opaque: break
    case .values(let dtype, isScale: true):
      values[tensor, default: (SpecialValues(), SpecialValues())].scales.add(bytes, dtype: dtype)
    case .values(let dtype, isScale: false):
      values[tensor, default: (SpecialValues(), SpecialValues())].elements.add(bytes, dtype: dtype)
    case .superBlocks(let layout):
      var scales = values[tensor]?.scales ?? SpecialValues()
      for place in layout.superScaleOffsets(in: start..<start + part.count) {
        scales.add(bytes.extracting(place - start..<place - start + 2), dtype: .f16)
      }
      values[tensor, default: (SpecialValues(), SpecialValues())].scales = scales
    }
  }

  private func report(
    _ values: [Int: (scales: SpecialValues, elements: SpecialValues)],
    _ findings: inout [ContainerFinding]
  ) throws(ContainerError) {
    for (index, found) in values.sorted(by: { $0.key < $1.key }) {
      guard found.scales != SpecialValues() || found.elements.nonFiniteCount > 0 else { continue }
      let contained = try reader.tensor(at: index)
      let tensor = contained.name
      if found.scales.nonFiniteCount > 0 {
        findings.append(.nonFiniteScales(tensor: tensor, count: found.scales.nonFiniteCount))
      }
      if found.scales.zeroCount > 0 {
        findings.append(.zeroScales(tensor: tensor, count: found.scales.zeroCount))
      }
      if found.elements.nonFiniteCount > 0 {
        let count = found.elements.nonFiniteCount
        findings.append(
          allowsNonFinite && contained.holdsSourceValues
            ? .keptNonFiniteValues(tensor: tensor, count: count)
            : .nonFiniteValues(tensor: tensor, count: count))
      }
    }
  }
}

extension ContainedTensor {
  /// Whether its values, or its codes, are those of the source, at most rounded. A quantizer writes
  /// no NaN and no infinity.
  fileprivate var holdsSourceValues: Bool {
    if case .plain = encoding { true } else { scheme == Scheme.keep.rawValue }
  }
}
