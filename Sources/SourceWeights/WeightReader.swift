import Bytes
public import Checkpoints
import Quantization
import Tensors

/// Reads rows of a weight as Float32, or as its encoding holds them.
///
/// The memory it needs is that of the largest tile asked for, `stretchByteCount` if that is read
/// ahead, and `SourceWeight.heldByteCount`. For one thread.
public struct WeightReader: Sendable {
  /// How many bytes are read at once of rows that follow each other: less at a time takes the
  /// kernel a quarter to a third longer to copy.
  public static let stretchByteCount = 1 << 20

  public let weight: SourceWeight
  private let checkpoint: Checkpoint
  /// The bytes of the primary tensor that stand for some rows, or the whole where rows do not lie
  /// together.
  private var buffer: [UInt8] = []
  private var bufferedRows = 0..<0
  /// The codes of the last rows, where they are not the source's own bytes.
  private var repacked: [UInt8]?
  private var lastRows = 0..<0
  private var planes: SourcePlanes?
  private var integers: IntegerDecoder?
  private var codebook: CodebookDecoder?

  public init(weight: SourceWeight, checkpoint: Checkpoint) {
    self.weight = weight
    self.checkpoint = checkpoint
  }

  /// The rows that `readRows` read last, as `weight.encoding` holds them: elements, or codes.
  public var storedRows: ArraySlice<UInt8> {
    if let repacked { return repacked[...] }
    return sourceRows
  }

  /// The bytes of the primary tensor that stand for the rows that were read last. Ranges of rows
  /// that follow each other give bytes that do, up to the last.
  public var sourceRows: ArraySlice<UInt8> {
    let start = sourceOffset(lastRows.lowerBound) - sourceOffset(bufferedRows.lowerBound)
    let count = sourceOffset(lastRows.upperBound) - sourceOffset(lastRows.lowerBound)
    return buffer[start..<start + count]
  }

  /// The bytes that a row of values or codes takes in the source.
  public var rowByteCount: Int {
    weight.rows == 0 ? 0 : weight.primary.byteCount / weight.rows
  }

  /// Decodes rows of the logical matrix; they may begin anywhere.
  /// - Parameters:
  ///   - end: rows up to this one will be asked for next: some may be read along; none if 0.
  ///   - values: Room for `rows.count × columns` elements.
  /// - Throws: `invalidScale`, `notNumbers`, `rowsOutside`, `checkpoint`, and what the layout finds
  ///   wrong in its companions.
  /// - Precondition: `values` has exactly that size.
  @_lifetime(values: copy values)
  public mutating func readRows(
    _ rows: Range<Int>, upTo end: Int = 0, into values: inout MutableSpan<Float>
  ) throws(SourceWeightsError) {
    precondition(values.count == rows.count * weight.columns)
    guard rows.lowerBound >= 0, rows.upperBound <= weight.rows else {
      throw .rowsOutside(tensor: weight.name, rows: rows, count: weight.rows)
    }
    if case .plain(let dtype) = weight.encoding, !dtype.isPlainFloat {
      throw .notNumbers(tensor: weight.name, dtype: dtype)
    }
    if case .blocks(let blocks) = weight.layout {
      try fillBuffer(rows, upTo: end)
      return try decodeBlocks(rows, blocks, into: &values)
    }
    let planes = try sidePlanes()
    try fillBuffer(rows, upTo: end)
    if case .quantized(let format) = weight.encoding {
      repack(rows, format: format, planes: planes)
      dequantize(rows, format: format, planes: planes, into: &values)
    } else if case .plain(let dtype) = weight.encoding, !weight.isQuantized {
      let elements = sourceRows
      ElementConversion.decode(elements.span, as: dtype, into: &values)
    } else {
      decode(rows, into: &values)
    }
  }

  /// Decodes codes that no format holds, and keeps the values' bytes.
  @_lifetime(values: copy values)
  private mutating func decode(_ rows: Range<Int>, into values: inout MutableSpan<Float>) {
    if let integers { integers.decode(rows, source: buffer, into: &values) }
    if let codebook { codebook.decode(rows, source: buffer, into: &values) }
    var bytes = [UInt8](repeating: 0, count: 4 * values.count)
    var span = bytes.mutableSpan
    ElementConversion.encodeF32(values.span, into: &span)
    repacked = bytes
  }

  /// Reads the values or codes of rows as the source stores them.
  /// - Parameter bytes: Room for `rows.count × rowByteCount` bytes.
  @_lifetime(bytes: copy bytes)
  public func readCodes(
    _ rows: Range<Int>, into bytes: inout MutableRawSpan
  ) throws(SourceWeightsError) {
    guard rows.lowerBound >= 0, rows.upperBound <= weight.rows else {
      throw .rowsOutside(tensor: weight.name, rows: rows, count: weight.rows)
    }
    precondition(bytes.byteCount == rows.count * rowByteCount)
    try read(rows.lowerBound * rowByteCount, into: &bytes)
  }

  /// Reads bytes of the primary tensor.
  @_lifetime(bytes: copy bytes)
  private func read(
    _ byteOffset: Int, into bytes: inout MutableRawSpan
  ) throws(SourceWeightsError) {
    do throws(CheckpointsError) {
      try checkpoint.read(weight.primary, from: byteOffset, into: &bytes)
    } catch {
      throw .checkpoint(error)
    }
  }

  /// All scales as `weight.encoding` holds them, row after row of blocks, each checked to be finite
  /// and above zero; empty for a weight that has none. They are read once.
  public mutating func scaleBytes() throws(SourceWeightsError) -> [UInt8] {
    try sidePlanes().scales
  }

  /// All zero points as `weight.encoding` holds them; empty for a weight that has none.
  public mutating func zeroPointBytes() throws(SourceWeightsError) -> [UInt8] {
    try sidePlanes().zeroPoints
  }

  /// The factor of all scales, for a format that has one.
  public mutating func globalScale() throws(SourceWeightsError) -> Float? {
    try sidePlanes().globalScale
  }

  /// XXH3-64 of each companion, by name.
  public func companionChecksums() throws(SourceWeightsError) -> [String: UInt64] {
    var checksums: [String: UInt64] = [:]
    for companion in weight.companions {
      let bytes = try checkpoint.companionBytes(companion)
      checksums[companion.name] = Checksum.of(bytes.rawSpan)
    }
    return checksums
  }

  /// Reads what decodes the codes, once.
  private mutating func sidePlanes() throws(SourceWeightsError) -> SourcePlanes {
    if let planes { return planes }
    var planes = SourcePlanes()
    var format: QuantizationFormat?
    if case .quantized(let own) = weight.encoding { format = own }
    switch weight.layout {
    case .plain: break
    case .rows(let codes): planes = try codes.planes(checkpoint)
    case .integers(let packing):
      let decoder = try IntegerDecoder(packing, weight: weight, checkpoint: checkpoint)
      if let format {
        planes.scales = decoder.scaleBytes
        if format.hasZeroPoints { planes.zeroPoints = decoder.zeroPointPlane }
      }
      integers = decoder
    case .blocks(let blocks):
      if let format { planes.scales = try scales(in: blocks, format: format) }
    case .codebook(let table):
      codebook = try CodebookDecoder(table, weight: weight, checkpoint: checkpoint)
    }
    self.planes = planes
    return planes
  }

  /// Brings codes into the form of a format, where they are not.
  private mutating func repack(
    _ rows: Range<Int>, format: QuantizationFormat, planes: SourcePlanes
  ) {
    repacked = nil
    if let integers {
      let isVerbatim =
        integers.packing.order == .rows && integers.packing.bits == 4 && weight.columns % 8 == 0
        && (format.code == .int4 || format.code == .uint4)
      if !isVerbatim {
        repacked = integers.codes(rows, source: buffer, code: format.code)
      }
    } else if !planes.zeroBlocks.isEmpty {
      var codes = Array(sourceRows)
      let layout = QuantizedLayout(format: format, rows: weight.rows, columns: weight.columns)
      for block in planes.zeroBlocks {
        let row = block / layout.scaleColumns
        guard rows.contains(row), let size = format.blockColumns else { continue }
        let start = block % layout.scaleColumns * size
        let end = min(start + size, weight.columns)
        let offset = (row - rows.lowerBound) * layout.codeRowByteCount
        for index in format.code.byteCount(of: start)..<format.code.byteCount(of: end) {
          codes[offset + index] = 0
        }
      }
      repacked = codes
    }
  }

  @_lifetime(values: copy values)
  private func dequantize(
    _ rows: Range<Int>, format: QuantizationFormat, planes: SourcePlanes,
    into values: inout MutableSpan<Float>
  ) {
    let dequantizer = Dequantizer(
      format: format, columns: weight.columns, globalScale: planes.globalScale)
    let layout = QuantizedLayout(format: format, rows: weight.rows, columns: weight.columns)
    let blockRows = format.blockRows ?? max(1, weight.rows)
    let codes = storedRows
    var start = rows.lowerBound
    while start < rows.upperBound {
      // The decoder counts blocks from the first row it gets: rows up to the next boundary go by
      // themselves.
      let end =
        start % blockRows == 0
        ? rows.upperBound : min(rows.upperBound, (start / blockRows + 1) * blockRows)
      let offset = start - rows.lowerBound
      let blocks = start / blockRows..<(end - 1) / blockRows + 1
      var part = values._mutatingExtracting(
        offset * weight.columns..<(end - rows.lowerBound) * weight.columns)
      dequantizer.dequantize(
        codes: codes.span.extracting(
          offset * layout.codeRowByteCount..<(end - rows.lowerBound) * layout.codeRowByteCount),
        scales: planes.scales.span.extracting(
          blocks.lowerBound * layout.scaleRowByteCount..<blocks.upperBound
            * layout.scaleRowByteCount),
        zeroPoints: planes.zeroPoints.span.extracting(
          blocks.lowerBound * layout.zeroPointRowByteCount..<blocks.upperBound
            * layout.zeroPointRowByteCount),
        rows: end - start, into: &part)
      start = end
    }
  }

  /// How much of a tensor is read at once to find the scales in it.
  static let scalePieceByteCount = 1 << 20

  /// Decodes rows of blocks; all of their numbers must be finite.
  @_lifetime(values: copy values)
  private mutating func decodeBlocks(
    _ rows: Range<Int>, _ blocks: BlockFormat, into values: inout MutableSpan<Float>
  ) throws(SourceWeightsError) {
    let bytes = sourceRows
    blocks.decode(bytes.span, into: &values)
    let firstBlock = rows.lowerBound * (rowByteCount / blocks.bytesPerBlock)
    for index in 0..<values.count where !values[index].isFinite {
      throw .invalidScale(
        tensor: weight.name, index: firstBlock + index / blocks.elementsPerBlock,
        value: values[index])
    }
    if case .quantized(let format) = weight.encoding {
      let repacker = BlockRepacker(blocks: blocks, format: format, tensor: weight.name)
      repacked = try repacker.codes(bytes.span, values: values.span, firstBlock: firstBlock)
    } else {
      var bytes = [UInt8](repeating: 0, count: 4 * values.count)
      var span = bytes.mutableSpan
      ElementConversion.encodeF32(values.span, into: &span)
      repacked = bytes
    }
  }

  /// The scales of all blocks, which lie between the codes.
  private func scales(
    in blocks: BlockFormat, format: QuantizationFormat
  ) throws(SourceWeightsError) -> [UInt8] {
    let repacker = BlockRepacker(blocks: blocks, format: format, tensor: weight.name)
    let pieceByteCount = Self.scalePieceByteCount / blocks.bytesPerBlock * blocks.bytesPerBlock
    var scales: [UInt8] = []
    for start in stride(from: 0, to: weight.primary.byteCount, by: pieceByteCount) {
      let count = min(pieceByteCount, weight.primary.byteCount - start)
      var piece = [UInt8](repeating: 0, count: count)
      var span = piece.mutableRawSpan
      try read(start, into: &span)
      scales += try repacker.scales(piece.span, firstBlock: start / blocks.bytesPerBlock)
    }
    return scales
  }

  /// Where the bytes that count as those of a row start in the primary tensor.
  private func sourceOffset(_ row: Int) -> Int {
    row == weight.rows ? weight.primary.byteCount : row * rowByteCount
  }

  /// Reads rows into the buffer, and some of those up to `end` with them; or the whole tensor, once.
  private mutating func fillBuffer(
    _ rows: Range<Int>, upTo end: Int
  ) throws(SourceWeightsError) {
    let there = weight.layout.takesParts ? rows.clamped(to: bufferedRows) : bufferedRows
    if there == rows && !buffer.isEmpty {
      lastRows = rows
      return
    }
    // Before the next is there.
    (buffer, bufferedRows, lastRows) = ([], 0..<0, 0..<0)
    let wanted = weight.layout.isReadWhole ? 0..<weight.rows : stretch(from: rows, upTo: end)
    let start = sourceOffset(wanted.lowerBound)
    buffer = try [UInt8](byteCount: sourceOffset(wanted.upperBound) - start) {
      bytes throws(SourceWeightsError) in try read(start, into: &bytes)
    }
    (bufferedRows, lastRows) = (wanted, rows)
  }

  /// Rows and some after them, a multiple of their number if there are enough.
  private func stretch(from rows: Range<Int>, upTo end: Int) -> Range<Int> {
    guard weight.layout.takesParts, !rows.isEmpty, rowByteCount > 0 else { return rows }
    let count = Self.stretchByteCount / rowByteCount / rows.count * rows.count
    return rows.lowerBound..<max(rows.upperBound, min(end, rows.lowerBound + count, weight.rows))
  }
}

extension WeightLayout {
  /// Whether a row's codes do not lie together, so that the tensor is read as a whole.
  var isReadWhole: Bool {
    switch self {
    case .plain, .rows, .blocks: false
    case .integers(let packing): packing.order != .rows
    case .codebook: true
    }
  }

  /// Whether rows are decoded from a part of what was read; integers along rows take all of it.
  var takesParts: Bool {
    switch self {
    case .plain, .rows, .blocks: true
    case .integers, .codebook: isReadWhole
    }
  }
}
