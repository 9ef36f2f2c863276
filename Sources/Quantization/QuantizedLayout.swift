import Bytes
import Tensors

/// Where the parts of a quantized matrix lie, relative to its first byte.
///
/// The planes follow each other in this order: codes, scales, zero points, global scale. Each
/// starts at a multiple of 64 bytes; the bytes between are zero, and so are those after the last up
/// to `byteCount`, a multiple of 64.
public struct QuantizedLayout: Sendable, Hashable {
  /// Each plane starts at a multiple of this many bytes.
  public static let planeAlignment = 64

  /// The format of the codes and scales.
  public let format: QuantizationFormat
  /// The number of rows (output features).
  public let rows: Int
  /// The number of columns (input features).
  public let columns: Int
  /// The codes, row after row; a row starts on a whole byte.
  public let codes: Range<Int>
  /// The scales: a matrix of `scaleRows × scaleColumns`, row after row.
  public let scales: Range<Int>
  /// The zero points: for each row of scales its nibbles; a row starts on a whole byte.
  public let zeroPoints: Range<Int>
  /// One Float32, or nothing.
  public let globalScale: Range<Int>

  /// - Precondition: `rows` and `columns` are not negative and their product takes less than
  ///   2^59 bits.
  public init(format: QuantizationFormat, rows: Int, columns: Int) {
    self.format = format
    self.rows = rows
    self.columns = columns
    var end = 0
    func plane(_ byteCount: Int) -> Range<Int> {
      let start = end.roundedUp(toMultipleOf: Self.planeAlignment)
      end = start + byteCount
      return start..<end
    }
    let scaleRows = format.blockCount(rows, per: format.blockRows)
    let scaleColumns = format.blockCount(columns, per: format.blockColumns)
    codes = plane(rows * format.code.byteCount(of: columns))
    scales = plane(scaleRows * scaleColumns * format.scale.bitsPerElement / 8)
    zeroPoints = plane(format.hasZeroPoints ? scaleRows * ((scaleColumns + 1) / 2) : 0)
    globalScale = plane(format.hasGlobalScale ? 4 : 0)
  }

  /// The number of bytes that a row of codes takes.
  public var codeRowByteCount: Int { format.code.byteCount(of: columns) }
  /// The number of rows of scales.
  public var scaleRows: Int { format.blockCount(rows, per: format.blockRows) }
  /// The number of scales in a row of scales.
  public var scaleColumns: Int { format.blockCount(columns, per: format.blockColumns) }
  /// The number of bytes that a row of scales takes.
  public var scaleRowByteCount: Int { scaleColumns * format.scale.bitsPerElement / 8 }
  /// The number of bytes that a row of zero points takes.
  public var zeroPointRowByteCount: Int { format.hasZeroPoints ? (scaleColumns + 1) / 2 : 0 }

  /// The size of the whole matrix in bytes, padding included: a multiple of 64.
  public var byteCount: Int { globalScale.upperBound.roundedUp(toMultipleOf: Self.planeAlignment) }
  /// The size of codes, scales, zero points and global scale in bytes, without padding.
  public var payloadByteCount: Int {
    codes.count + scales.count + zeroPoints.count + globalScale.count
  }
}

extension QuantizationFormat {
  /// The number of blocks that `count` rows or columns make; a last one may be partial.
  func blockCount(_ count: Int, per blockSize: Int?) -> Int {
    guard let blockSize else { return count == 0 ? 0 : 1 }
    return count / blockSize + (count % blockSize == 0 ? 0 : 1)
  }
}
