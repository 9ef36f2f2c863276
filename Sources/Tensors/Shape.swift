/// The dimensions of a tensor, outermost first (row-major). A scalar has none.
public struct Shape: Sendable, Hashable {
  /// The dimensions, each at least 0.
  public let dimensions: [Int]
  /// The product of the dimensions; 1 for a scalar.
  public let elementCount: Int

  /// Returns nil if a dimension is negative or the product does not fit into `Int`.
  public init?(_ dimensions: [Int]) {
    var elementCount = 1
    for dimension in dimensions {
      let (product, overflow) = elementCount.multipliedReportingOverflow(by: dimension)
      guard dimension >= 0, !overflow else { return nil }
      elementCount = product
    }
    self.dimensions = dimensions
    self.elementCount = elementCount
  }

  /// The shape of a matrix.
  /// - Precondition: neither count is negative and the product fits into `Int`.
  public init(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0)
    self.dimensions = [rows, columns]
    self.elementCount = rows * columns
  }

  /// The number of dimensions.
  public var rank: Int { dimensions.count }

  /// The last dimension, along which elements are contiguous; 1 for a scalar.
  public var columns: Int { dimensions.last ?? 1 }

  /// The product of all dimensions but the last.
  public var rows: Int { dimensions.dropLast().reduce(1, *) }

  /// The size in bytes of this many elements, or nil if they do not end on a whole byte or the
  /// size does not fit into `Int`.
  public func byteCount(of dtype: DType) -> Int? {
    let (bits, overflow) = elementCount.multipliedReportingOverflow(by: dtype.bitsPerElement)
    return overflow || bits % 8 != 0 ? nil : bits / 8
  }
}

extension Shape: CustomStringConvertible {
  /// `[7168, 2048]`
  public var description: String {
    "[" + dimensions.map(String.init).joined(separator: ", ") + "]"
  }
}
