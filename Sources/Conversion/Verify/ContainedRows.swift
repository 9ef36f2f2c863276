import Bytes
import Container
import Quantization
import SystemPackage
import Tensors

/// Reads the rows of a container's tensor as Float32. It reads the file rather than the mapping, so
/// that a failing disk is an error. For one thread.
struct ContainedRows {
  let tensor: ContainedTensor
  private let reader: ContainerReader
  private let dequantizer: Dequantizer?
  private let scales: [UInt8]
  private let zeroPoints: [UInt8]
  private var bytes: [UInt8] = []

  init(tensor: ContainedTensor, reader: ContainerReader) throws {
    self.tensor = tensor
    self.reader = reader
    let isDecodable =
      switch tensor.encoding {
      case .plain(let dtype): ElementConversion.canDecode(dtype)
      case .quantized(let format): Dequantizer.canDecode(format)
      }
    guard isDecodable else {
      throw ConversionError.damagedContainer(
        container: reader.path.string, damage: "tensor \(tensor.name) is stored as no numbers")
    }
    guard let layout = tensor.layout else {
      dequantizer = nil
      scales = []
      zeroPoints = []
      return
    }
    func plane(_ range: Range<Int>) throws(BytesError) -> [UInt8] {
      let start = tensor.byteRange.lowerBound
      return try reader.file.bytes(in: start + range.lowerBound..<start + range.upperBound)
    }
    scales = try plane(layout.scales)
    zeroPoints = try plane(layout.zeroPoints)
    let globalScale = try plane(layout.globalScale).littleEndian(at: 0, as: UInt32.self)
    dequantizer = Dequantizer(
      format: layout.format, columns: layout.columns,
      globalScale: globalScale.map(Float.init(bitPattern:)),
      levels: try plane(layout.tables).map { Int8(bitPattern: $0) })
  }

  /// Decodes rows that start at a multiple of `tensor.rowMultiple`.
  /// - Parameter values: `rows.count × columns` elements.
  mutating func read(_ rows: Range<Int>, into values: inout MutableSpan<Float>) throws {
    let start = tensor.byteRange.lowerBound
    guard let layout = tensor.layout, let dequantizer else {
      guard case .plain(let dtype) = tensor.encoding else { return }
      let rowByteCount = tensor.shape.columns * dtype.bitsPerElement / 8
      try fill(start + rows.lowerBound * rowByteCount, byteCount: rows.count * rowByteCount)
      ElementConversion.decode(bytes.span, as: dtype, into: &values)
      return
    }
    let part = layout.part(rows: rows)
    try fill(start + layout.codes.lowerBound + part.codes.lowerBound, byteCount: part.codes.count)
    dequantizer.dequantize(
      codes: bytes.span, scales: scales.span.extracting(part.scales),
      zeroPoints: zeroPoints.span.extracting(part.zeroPoints), rows: rows.count, into: &values)
  }

  /// The number of values of some rows that lie outside of what their block can represent; 0 for
  /// plain tensors.
  func clippedCount(of values: Span<Float>, rows: Range<Int>) -> Int {
    guard let layout = tensor.layout, let dequantizer else { return 0 }
    let part = layout.part(rows: rows)
    return dequantizer.clippedCount(
      of: values, scales: scales.span.extracting(part.scales),
      zeroPoints: zeroPoints.span.extracting(part.zeroPoints), rows: rows.count)
  }

  private mutating func fill(_ byteOffset: Int, byteCount: Int) throws {
    // Taken out and put back, because the bytes are changed while the reader is used.
    var bytes: [UInt8] = []
    swap(&bytes, &self.bytes)
    defer { swap(&bytes, &self.bytes) }
    if bytes.count != byteCount { bytes = [UInt8](repeating: 0, count: byteCount) }
    var span = bytes.mutableRawSpan
    try reader.file.read(at: byteOffset, into: &span)
  }
}

extension ContainedTensor {
  /// Rows can be decoded apart from others if they start at a multiple of this.
  var rowMultiple: Int { layout?.format.tileRowMultiple ?? 1 }
}
