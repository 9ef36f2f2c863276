import Bytes
import CKernels
import Tensors

/// Kernels that sum up what they read.
extension KernelBenchmark {
  /// What is summed up.
  final class Sums {
    var statistics = ErrorStatistics()
    var checksum: UInt64 = 0
  }

  var checksum: Kernel {
    let byteCount = 64 << 10
    let sums = Sums()
    return Kernel(
      name: "checksum", pieceByteCount: byteCount, pieceWeightCount: nil,
      pieceCount: Self.sourceByteCount / byteCount, leastRatioToMemcpy: 0.6
    ) { piece in
      let start = piece * byteCount
      sums.checksum ^= Checksum.of(bytes.rawSpan.extracting(start..<start + byteCount))
    }
  }

  var measuring: Kernel {
    let sums = Sums()
    let count = Self.decodedCount
    let approximation = [Float](repeating: 0.01, count: count)
    return Kernel(
      name: "measure errors", pieceByteCount: 4 * count, pieceWeightCount: count,
      pieceCount: Self.sourceByteCount / (4 * count)
    ) { piece in
      sums.statistics.add(
        reference: values.span.extracting(piece * count..<(piece + 1) * count),
        approximation: approximation.span, columns: Self.columns)
    }
  }

  /// The products of a few rows with rows of weights, as the comparison of layers needs them.
  var multiplying: Kernel {
    let leftRows = 16
    let rightRows = Self.quantizedCount / Self.columns
    // An odd number of cache lines apart, as `PaddedMatrix` keeps the inputs of layers.
    let leftStride = Self.columns + 48
    let left = values[..<(leftRows * leftStride)]
    let tile = Tile<Float>(count: leftRows * rightRows)
    return Kernel(
      name: "products with \(leftRows) rows", pieceByteCount: 4 * Self.quantizedCount,
      pieceWeightCount: Self.quantizedCount,
      pieceCount: Self.sourceByteCount / (4 * Self.quantizedCount),
      operationsPerWeight: Double(2 * leftRows)
    ) { piece in
      tile.lend { products in
        unsafe values.withUnsafeBufferPointer { values in
          unsafe left.withUnsafeBufferPointer { left in
            unsafe products.withUnsafeMutableBufferPointer { products in
              guard let values = values.baseAddress else { return }
              unsafe ck_multiply_rows(
                left.baseAddress, leftRows, leftStride, values + piece * Self.quantizedCount,
                rightRows, Self.columns, products.baseAddress, rightRows)
            }
          }
        }
      }
    }
  }
}
