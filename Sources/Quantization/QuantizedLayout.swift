import Bytes
import Tensors

/// Where the parts of a quantized matrix lie, relative to its first byte.
///
/// The planes follow each other in this order: codes, scales, zero points, global scale, tables.
/// Each starts at a multiple of 64 bytes; the bytes between are zero, and so are those after the
/// last up to `byteCount`, a multiple of 64.
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
  /// The scales: a matrix of `scaleRows × scaleColumns`, row after row; with tables, for each 256
  /// columns a Float16, the groups' 6-bit steps, and with two tables a bit for each group.
  public let scales: Range<Int>
  /// The zero points: for each row of scales its nibbles; a row starts on a whole byte.
  public let zeroPoints: Range<Int>
  /// One Float32, or nothing.
  public let globalScale: Range<Int>
  /// The levels, signed bytes, table after table.
  public let tables: Range<Int>

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
    scales = plane(scaleRows * format.scaleRowByteCount(columns: columns))
    zeroPoints = plane(format.hasZeroPoints ? scaleRows * ((scaleColumns + 1) / 2) : 0)
    globalScale = plane(format.hasGlobalScale ? 4 : 0)
    tables = plane(format.tableCount * (format.code.levelCount ?? 0))
  }

  /// The number of bytes that a row of codes takes.
  public var codeRowByteCount: Int { format.code.byteCount(of: columns) }
  /// The number of rows of scales.
  public var scaleRows: Int { format.blockCount(rows, per: format.blockRows) }
  /// The number of scales in a row of scales.
  public var scaleColumns: Int { format.blockCount(columns, per: format.blockColumns) }
  /// The number of bytes that a row of scales takes.
  public var scaleRowByteCount: Int { format.scaleRowByteCount(columns: columns) }
  /// The number of bytes that a row of zero points takes.
  public var zeroPointRowByteCount: Int { format.hasZeroPoints ? (scaleColumns + 1) / 2 : 0 }

  /// Where Float16 scales lie in a part of the scale plane, of a format with tables. They start at
  /// even offsets.
  package func superScaleOffsets(in range: Range<Int>) -> [Int] {
    let size = format.superBlockByteCount(columns: QuantizationFormat.superBlockColumns)
    guard scaleRowByteCount > 0 else { return [] }
    var offsets: [Int] = []
    for row in range.lowerBound / scaleRowByteCount...range.upperBound / scaleRowByteCount {
      let start = row * scaleRowByteCount
      let first = max(0, (range.lowerBound - start + size - 1) / size)
      for offset in stride(from: start + first * size, to: start + scaleRowByteCount, by: size) {
        guard offset < range.upperBound else { return offsets }
        offsets.append(offset)
      }
    }
    return offsets
  }

  /// The size of the whole matrix in bytes, padding included: a multiple of 64.
  public var byteCount: Int { tables.upperBound.roundedUp(toMultipleOf: Self.planeAlignment) }
  /// The size of all planes in bytes, without padding.
  public var payloadByteCount: Int {
    codes.count + scales.count + zeroPoints.count + globalScale.count + tables.count
  }
}

extension QuantizationFormat {
  /// The number of blocks that `count` rows or columns make; a last one may be partial.
  func blockCount(_ count: Int, per blockSize: Int?) -> Int {
    guard let blockSize else { return count == 0 ? 0 : 1 }
    return count / blockSize + (count % blockSize == 0 ? 0 : 1)
  }

  /// The number of bytes of a row of scales.
  func scaleRowByteCount(columns: Int) -> Int {
    guard tableCount > 0 else {
      return blockCount(columns, per: blockColumns) * scale.bitsPerElement / 8
    }
    let size = Self.superBlockColumns
    let rest = columns % size
    return columns / size * superBlockByteCount(columns: size)
      + (rest == 0 ? 0 : superBlockByteCount(columns: rest))
  }

  /// The number of bytes of the scales of a super-block, a multiple of 2: so each starts with an
  /// aligned Float16.
  /// - Precondition: the format has tables.
  package func superBlockByteCount(columns: Int) -> Int {
    let groupCount = blockCount(columns, per: blockColumns)
    let choices = tableCount == 2 ? (groupCount + 7) / 8 : 0
    return (2 + (6 * groupCount + 7) / 8 + choices).roundedUp(toMultipleOf: 2)
  }
}
