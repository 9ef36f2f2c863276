import CKernels
internal import Dispatch
import Synchronization
public import Tensors

/// Products whose bits depend on the two rows that make them alone, on every processor.
enum MatrixProduct {
  /// output[:, columns] = left · rightᵀ
  ///
  /// - Parameter left: n × k.
  /// - Parameter right: columns.count × k, row-major.
  /// - Parameter output: n × m, of which the columns in `columns` are written.
  /// - Parameter threads: how many threads divide the rows of `left` among them.
  static func multiply(
    _ left: PaddedMatrix, byTransposed right: Span<Float>, into output: inout PaddedMatrix,
    columns: Range<Int>, threads: Int = 1
  ) {
    precondition(right.count == columns.count * left.columns)
    precondition(output.rows == left.rows)
    precondition(columns.lowerBound >= 0 && columns.upperBound <= output.columns)
    guard left.rows > 0, !columns.isEmpty else { return }
    let stride = output.stride
    // A share is a block of the kernel's: all its rows pass by for each reading of the weights.
    let shares = (left.rows + 63) / 64
    let nextShare = Atomic(0)
    unsafe left.values.withUnsafeBufferPointer { leftElements in
      unsafe right.withUnsafeBufferPointer { rightElements in
        unsafe output.values.withUnsafeMutableBufferPointer { outputElements in
          // The output's base address is not nil, as it has elements; of the others the kernel
          // reads nothing where k is zero. Each share writes rows of its own.
          nonisolated(unsafe) let products = unsafe outputElements.baseAddress! + columns.lowerBound
          nonisolated(unsafe) let inputs = leftElements.baseAddress
          nonisolated(unsafe) let weights = rightElements.baseAddress
          DispatchQueue.concurrentPerform(iterations: min(threads, shares)) { _ in
            while case let share = nextShare.wrappingAdd(1, ordering: .relaxed).oldValue,
              share < shares
            {
              let rows = left.rows * share / shares..<left.rows * (share + 1) / shares
              unsafe ck_multiply_rows(
                inputs.map { unsafe $0 + rows.lowerBound * left.stride }, rows.count, left.stride,
                weights, columns.count, left.columns, products + rows.lowerBound * stride, stride)
            }
          }
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
    var product = PaddedMatrix(rows: rows, columns: weight.rows)
    MatrixProduct.multiply(
      PaddedMatrix(self), byTransposed: weight.values.span, into: &product,
      columns: 0..<weight.rows)
    return product.matrix
  }
}
