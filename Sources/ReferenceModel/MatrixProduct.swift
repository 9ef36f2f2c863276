import COpenBLAS
public import Tensors

/// Products by OpenBLAS, each on the calling thread alone, so that threads that work on different
/// experts do not get in each other's way and a product's bits depend on its shapes only.
enum MatrixProduct {
  /// Runs once, before the first product; Swift makes the initialization thread-safe.
  private static let singleThreaded: Void = openblas_set_num_threads(1)

  /// output[:, columns] = left · rightᵀ
  ///
  /// - Parameter left: n × k.
  /// - Parameter right: columns.count × k, row-major.
  /// - Parameter output: n × m, of which the columns in `columns` are written.
  static func multiply(
    _ left: Matrix, byTransposed right: Span<Float>, into output: inout Matrix,
    columns: Range<Int>
  ) {
    precondition(right.count == columns.count * left.columns)
    precondition(output.rows == left.rows)
    precondition(columns.lowerBound >= 0 && columns.upperBound <= output.columns)
    guard left.rows > 0, !columns.isEmpty else { return }
    let outputColumns = output.columns
    _ = singleThreaded
    unsafe left.values.withUnsafeBufferPointer { leftElements in
      unsafe right.withUnsafeBufferPointer { rightElements in
        unsafe output.values.withUnsafeMutableBufferPointer { outputElements in
          // None of the base addresses is nil: the counts are above zero, or k is and BLAS reads
          // nothing.
          unsafe cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans,
            Int32(left.rows), Int32(columns.count), Int32(left.columns),
            1, leftElements.baseAddress, Int32(max(1, left.columns)),
            rightElements.baseAddress, Int32(max(1, left.columns)),
            0, outputElements.baseAddress! + columns.lowerBound, Int32(outputColumns))
        }
      }
    }
  }
}

extension Matrix {
  /// self · weightᵀ: a linear layer without bias.
  ///
  /// - Parameter weight: one row for each output feature, as many columns as `self`.
  /// - Returns: a matrix of `rows` × `weight.rows`.
  public func multiplied(byTransposed weight: Matrix) -> Matrix {
    precondition(weight.columns == columns)
    var product = Matrix(rows: rows, columns: weight.rows)
    MatrixProduct.multiply(
      self, byTransposed: weight.values.span, into: &product, columns: 0..<weight.rows)
    return product
  }
}
