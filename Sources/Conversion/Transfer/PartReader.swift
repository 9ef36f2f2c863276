import Bytes
import Checkpoints
import Quantization
import SourceWeights
import Tensors

/// Reads rows of a matrix that is a part of a weight, as Float32 and as the weight holds them. A
/// transposed matrix is read once and held.
struct PartReader {
  private let weight: SourceWeight
  private let part: WeightPart
  private var reader: WeightReader
  /// The rows that were read last, as the weight holds them, where they are not the reader's.
  private var collectedRows: [UInt8]?
  /// A transposed part, outputs × inputs: elements if the weight is plain, or Float32.
  private var turned: [UInt8]?
  /// Of rows that are read to take some of them.
  private var values: [Float] = []

  init(weight: SourceWeight, part: WeightPart, checkpoint: Checkpoint) {
    self.weight = weight
    self.part = part
    reader = WeightReader(weight: weight, checkpoint: checkpoint)
  }

  private var columns: Int { part.isTransposed ? part.storedRows.count : weight.columns }

  /// The bytes that are held of a part besides its tiles.
  static func heldByteCount(of part: WeightPart, weight: SourceWeight) -> Int {
    guard part.isTransposed else { return 0 }
    return part.outputCount * part.storedRows.count * elementByteCount(weight)
  }

  private static func elementByteCount(_ weight: SourceWeight) -> Int {
    if case .plain(let dtype) = weight.encoding { dtype.bitsPerElement / 8 } else { 4 }
  }

  /// The dtype of what is turned.
  private var turnedDType: DType {
    if case .plain(let dtype) = weight.encoding { dtype } else { .f32 }
  }

  /// The rows that were read last, as the weight holds them.
  var storedRows: ArraySlice<UInt8> { collectedRows.map { $0[...] } ?? reader.storedRows }

  /// Decodes rows of the part.
  /// - Parameter end: rows up to this one will be asked for next: some may be read along; none if 0.
  mutating func readRows(
    _ rows: Range<Int>, upTo end: Int = 0, into tile: inout MutableSpan<Float>
  ) throws {
    if part.isTransposed {
      let turned = try turnedBytes()
      let rowByteCount = columns * Self.elementByteCount(weight)
      let stored = Array(
        turned[rows.lowerBound * rowByteCount..<rows.upperBound * rowByteCount])
      ElementConversion.decode(stored.span, as: turnedDType, into: &tile)
      collectedRows = stored
      return
    }
    let first = part.storedRows.lowerBound + part.firstOutput
    let stride = part.outputStride
    let start = first + rows.lowerBound * stride
    guard stride > 1, rows.count > 1 else {
      try reader.readRows(
        start..<start + rows.count, upTo: stride > 1 ? 0 : first + end, into: &tile)
      collectedRows = nil
      return
    }
    let wide = start..<first + (rows.upperBound - 1) * stride + 1
    // Taken out and put back, because the values and the reader are changed at once.
    var values: [Float] = []
    swap(&values, &self.values)
    defer { swap(&values, &self.values) }
    if values.count < wide.count * columns {
      values = [Float](repeating: 0, count: wide.count * columns)
    }
    var span = values.mutableSpan
    var wideTile = span.slice(0..<wide.count * columns)
    try reader.readRows(wide, into: &wideTile)
    let bytes = reader.storedRows
    let rowByteCount = bytes.count / wide.count
    var stored = collectedRows ?? []
    collectedRows = nil
    stored.removeAll(keepingCapacity: true)
    for row in 0..<rows.count {
      let place = row * stride
      stored += bytes.dropFirst(place * rowByteCount).prefix(rowByteCount)
      for column in 0..<columns {
        tile[row * columns + column] = values[place * columns + column]
      }
    }
    collectedRows = stored
  }

  /// The scales of the part, as the weight holds them.
  /// - Precondition: each row has its own (`isSeparable`).
  func rowsOfPlane(_ plane: [UInt8]) -> [UInt8] {
    let rowByteCount = plane.count / max(1, weight.rows)
    return (0..<part.outputCount).flatMap { output in
      let row = part.storedRows.lowerBound + part.firstOutput + output * part.outputStride
      return plane[row * rowByteCount..<(row + 1) * rowByteCount]
    }
  }

  /// Whether a part's codes can be taken out of those of the weight as they are.
  static func isSeparable(_ part: WeightPart, of weight: SourceWeight) -> Bool {
    guard case .quantized(let format) = weight.encoding else { return true }
    return !part.isTransposed && format.blockRows == 1 && !format.hasGlobalScale
  }

  /// Reads the stored matrix and turns the part's columns into rows.
  private mutating func turnedBytes() throws -> [UInt8] {
    if let turned { return turned }
    let size = Self.elementByteCount(weight)
    let inputs = part.storedRows.count
    var turned = [UInt8](repeating: 0, count: part.outputCount * inputs * size)
    let height = max(1, TileRows.elementCount / max(1, weight.columns))
    for start in Swift.stride(from: 0, to: inputs, by: height) {
      try Interruption.check()
      let rows = start..<min(inputs, start + height)
      let bytes = try storedMatrix(rows)
      for output in 0..<part.outputCount {
        let column = part.firstOutput + output * part.outputStride
        for row in rows {
          let from = ((row - start) * weight.columns + column) * size
          let to = (output * inputs + row) * size
          for byte in 0..<size { turned[to + byte] = bytes[from + byte] }
        }
      }
    }
    self.turned = turned
    return turned
  }

  /// Rows of the stored matrix, of `turnedDType`.
  private mutating func storedMatrix(_ rows: Range<Int>) throws -> [UInt8] {
    let count = rows.count * weight.columns
    let first = part.storedRows.lowerBound
    var values: [Float] = []
    swap(&values, &self.values)
    defer { swap(&values, &self.values) }
    if values.count < count { values = [Float](repeating: 0, count: count) }
    var span = values.mutableSpan
    var tile = span.slice(0..<count)
    try reader.readRows(first + rows.lowerBound..<first + rows.upperBound, into: &tile)
    if case .plain = weight.encoding { return Array(reader.storedRows) }
    var bytes = [UInt8](repeating: 0, count: count * 4)
    var byteSpan = bytes.mutableSpan
    ElementConversion.encodeF32(tile.span, into: &byteSpan)
    return bytes
  }
}
