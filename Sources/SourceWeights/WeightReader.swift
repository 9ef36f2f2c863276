import Bytes
public import Checkpoints
import Quantization
import Tensors

/// Reads rows of a weight as Float32, or as the source stores them, reusing its buffer.
///
/// The memory it needs is that of the largest tile asked for, and the scales. For one thread.
public struct WeightReader: Sendable {
  public let weight: SourceWeight
  private let checkpoint: Checkpoint
  private var buffer: [UInt8] = []
  private var scales: [UInt8]?

  public init(weight: SourceWeight, checkpoint: Checkpoint) {
    self.weight = weight
    self.checkpoint = checkpoint
  }

  /// The rows that `readRows` read last, as the source stores them.
  public var storedRows: [UInt8] { buffer }

  /// The bytes that a row of values or codes takes in the source.
  public var rowByteCount: Int {
    weight.rows == 0 ? 0 : weight.primary.byteCount / weight.rows
  }

  /// Decodes rows of the logical matrix; they may begin anywhere.
  /// - Parameter values: Room for `rows.count × columns` elements.
  /// - Throws: `invalidScale`, `notNumbers`, `rowsOutside`, `checkpoint`.
  /// - Precondition: `values` has exactly that size.
  @_lifetime(values: copy values)
  public mutating func readRows(
    _ rows: Range<Int>, into values: inout MutableSpan<Float>
  ) throws(SourceWeightsError) {
    precondition(values.count == rows.count * weight.columns)
    switch weight.encoding {
    case .plain(let dtype):
      guard dtype.isPlainFloat else { throw .notNumbers(tensor: weight.name, dtype: dtype) }
      try fillBuffer(rows)
      ElementConversion.decode(buffer.span, as: dtype, into: &values)
    case .quantized(let format):
      let scales = try scaleBytes()
      try fillBuffer(rows)
      let dequantizer = Dequantizer(format: format, columns: weight.columns)
      let layout = QuantizedLayout(format: format, rows: weight.rows, columns: weight.columns)
      let blockRows = format.blockRows ?? max(1, weight.rows)
      var start = rows.lowerBound
      while start < rows.upperBound {
        // The decoder counts blocks from the first row it gets: rows up to the next boundary go
        // by themselves.
        let end =
          start % blockRows == 0
          ? rows.upperBound : min(rows.upperBound, (start / blockRows + 1) * blockRows)
        let offset = start - rows.lowerBound
        let scaleStart = start / blockRows * layout.scaleRowByteCount
        let scaleEnd = ((end - 1) / blockRows + 1) * layout.scaleRowByteCount
        var part = values._mutatingExtracting(
          offset * weight.columns..<(end - rows.lowerBound) * weight.columns)
        dequantizer.dequantize(
          codes: buffer.span.extracting(
            offset * layout.codeRowByteCount..<(end - rows.lowerBound) * layout.codeRowByteCount),
          scales: scales.span.extracting(scaleStart..<scaleEnd), zeroPoints: Span(),
          rows: end - start,
          into: &part)
        start = end
      }
    }
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
    do throws(CheckpointsError) {
      try checkpoint.read(weight.primary, from: rows.lowerBound * rowByteCount, into: &bytes)
    } catch {
      throw .checkpoint(error)
    }
  }

  /// All scales as the source stores them, row after row of blocks, each checked to be finite and
  /// above zero; empty for a plain weight. They are read once.
  public mutating func scaleBytes() throws(SourceWeightsError) -> [UInt8] {
    if let scales { return scales }
    guard case .quantized(let format) = weight.encoding, let record = weight.companions.first else {
      return []
    }
    let bytes: [UInt8]
    do throws(CheckpointsError) {
      bytes = try checkpoint.bytes(of: record)
    } catch {
      throw .checkpoint(error)
    }
    let values = Dequantizer(format: format, columns: weight.columns).decodeScales(bytes.span)
    if let index = values.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
      throw .invalidScale(tensor: record.name, index: index, value: values[index])
    }
    scales = bytes
    return bytes
  }

  /// Reads rows into the buffer, whose size changes only with the tile.
  private mutating func fillBuffer(_ rows: Range<Int>) throws(SourceWeightsError) {
    let byteCount = rows.count * rowByteCount
    if buffer.count != byteCount { buffer = [UInt8](repeating: 0, count: byteCount) }
    var bytes = buffer
    // Taken out and put back, because the buffer and the rest of the reader are used at once.
    buffer = []
    defer { buffer = bytes }
    var span = bytes.mutableRawSpan
    try readCodes(rows, into: &span)
  }
}
