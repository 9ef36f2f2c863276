public import Tensors

/// A matrix of Float32, row-major, whose rows lie so far apart that products read several of them
/// side by side at full speed: at a distance of a multiple of 4096 bytes, as those of most models
/// would have, all would compete for the same few places of a processor's first cache.
public struct PaddedMatrix: Sendable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// Rows at a distance of `stride`, perhaps more than `rows`; what lies beyond a row's columns
  /// means nothing.
  var values: [Float]

  private init(rows: Int, columns: Int, values: [Float]) {
    self.rows = rows
    self.columns = columns
    self.values = values
  }

  /// A matrix of zeros.
  init(rows: Int, columns: Int) {
    self.init(
      rows: rows, columns: columns,
      values: [Float](repeating: 0, count: rows * Self.stride(columns: columns)))
  }

  /// The rows of some matrices, one matrix after the other.
  /// - Precondition: all have `columns` columns.
  public init(rowsOf matrices: [Matrix], columns: Int) {
    let rows = matrices.reduce(0) { $0 + $1.rows }
    let stride = Self.stride(columns: columns)
    var values: [Float] = []
    values.reserveCapacity(rows * stride)
    for matrix in matrices {
      precondition(matrix.columns == columns)
      for row in 0..<matrix.rows {
        values += matrix.row(row)
        values += repeatElement(0, count: stride - columns)
      }
    }
    self.init(rows: rows, columns: columns, values: values)
  }

  /// The same elements as `matrix`.
  public init(_ matrix: Matrix) {
    self.init(rowsOf: [matrix], columns: matrix.columns)
  }

  /// The first rows; they share this matrix's memory.
  public func firstRows(_ count: Int) -> PaddedMatrix {
    precondition(count <= rows)
    return PaddedMatrix(rows: count, columns: columns, values: values)
  }

  /// The same elements without padding.
  var matrix: Matrix {
    var elements: [Float] = []
    elements.reserveCapacity(rows * columns)
    for row in 0..<rows { elements += values[row * stride..<row * stride + columns] }
    return Matrix(rows: rows, columns: columns, values: elements)
  }

  /// The distance of two rows in elements.
  var stride: Int { Self.stride(columns: columns) }

  /// The distance of two rows of so many columns, in elements: a number of cache lines of 64 bytes
  /// that is three more than a multiple of four. So it is odd, and rows begin in different places of
  /// the cache; most models' rows fill a multiple of four, and come to lie three lines further apart.
  public static func stride(columns: Int) -> Int {
    columns == 0 ? 0 : ((columns + 15) / 16 | 3) * 16
  }

  /// Takes the columns of another matrix, with as many rows, in the place of some of its own.
  mutating func setColumns(_ range: Range<Int>, to other: PaddedMatrix) {
    for row in 0..<rows {
      let start = row * other.stride
      values[row * stride + range.lowerBound..<row * stride + range.upperBound] =
        other.values[start..<start + range.count]
    }
  }
}
