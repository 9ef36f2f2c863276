import Bytes
import CKernels
import Tensors

extension KernelBenchmark {
  /// What is written again and again. Arrays are taken out and put back, because no span of them
  /// may outlive an access to a class.
  private final class Tile<Element> {
    private var elements: [Element]

    init(_ element: Element, count: Int) {
      elements = [Element](repeating: element, count: count)
    }

    func lend(_ body: (inout [Element]) -> Void) {
      var taken: [Element] = []
      swap(&taken, &elements)
      body(&taken)
      swap(&taken, &elements)
    }
  }

  /// memcpy, to a tile as large as a piece.
  func copying(_ byteCount: Int) -> Kernel {
    let tile = Tile<UInt8>(0, count: byteCount)
    return Kernel(
      name: "memcpy", pieceByteCount: byteCount, pieceWeightCount: nil,
      pieceCount: Self.sourceByteCount / byteCount
    ) { piece in
      tile.lend { tile in
        unsafe bytes.withUnsafeBufferPointer { source in
          unsafe tile.withUnsafeMutableBufferPointer { tile in
            guard let source = source.baseAddress, let tile = tile.baseAddress else { return }
            unsafe ck_copy(source + piece * byteCount, byteCount, tile)
          }
        }
      }
    }
  }

  func decoding(_ dtype: DType, _ name: String, leastRatio: Double? = nil) -> Kernel {
    let tile = Tile<Float>(0, count: Self.decodedCount)
    let byteCount = Self.decodedCount * dtype.bitsPerElement / 8
    return Kernel(
      name: name, pieceByteCount: byteCount, pieceWeightCount: Self.decodedCount,
      pieceCount: Self.sourceByteCount / byteCount, leastRatioToMemcpy: leastRatio
    ) { piece in
      tile.lend { values in
        var span = values.mutableSpan
        ElementConversion.decode(
          bytes.span.extracting(piece * byteCount..<(piece + 1) * byteCount), as: dtype,
          into: &span)
      }
    }
  }

  var checksum: Kernel {
    let byteCount = 64 << 10
    let sum = Tile<UInt64>(0, count: 1)
    return Kernel(
      name: "checksum", pieceByteCount: byteCount, pieceWeightCount: nil,
      pieceCount: Self.sourceByteCount / byteCount, leastRatioToMemcpy: 0.6
    ) { piece in
      let start = piece * byteCount
      let found = Checksum.of(bytes.rawSpan.extracting(start..<start + byteCount))
      sum.lend { $0[0] ^= found }
    }
  }

  static func dequantizerName(_ scheme: Scheme) -> String { "dequantize \(scheme.rawValue)" }

  /// Codes, scales and zero points are all read from end to end.
  func dequantizing(_ scheme: Scheme) -> Kernel {
    guard let format = scheme.format else { preconditionFailure("\(scheme) has no codes") }
    let tile = Tile<Float>(0, count: Self.decodedCount)
    let rows = Self.decodedCount / Self.columns
    let layout = QuantizedLayout(format: format, rows: rows, columns: Self.columns)
    let counts = (
      codes: layout.codes.count, scales: layout.scales.count, zeroPoints: layout.zeroPoints.count
    )
    let levelCount = format.code.levelCount ?? 0
    let levels = (0..<format.tableCount * levelCount).map {
      Int8(truncatingIfNeeded: (2 * ($0 % levelCount) - levelCount + 1) * 8)
    }
    let dequantizer = Dequantizer(
      format: format, columns: Self.columns, globalScale: 1, levels: levels)
    let isInt4 = format.code == .int4 || format.code == .uint4
    return Kernel(
      name: Self.dequantizerName(scheme),
      pieceByteCount: counts.codes + counts.scales + counts.zeroPoints,
      pieceWeightCount: Self.decodedCount,
      pieceCount: Self.sourceByteCount / counts.codes, leastRatioToMemcpy: isInt4 ? 0.3 : nil,
      mostTimesInt4: format.tableCount > 0 ? 1.5 : nil
    ) { piece in
      func part(_ count: Int) -> Range<Int> { piece * count..<(piece + 1) * count }
      let zeroPoints = scales.span.extracting(droppingFirst: scales.count / 2)
      tile.lend { values in
        var span = values.mutableSpan
        dequantizer.dequantize(
          codes: bytes.span.extracting(part(counts.codes)),
          scales: scales.span.extracting(part(counts.scales)),
          zeroPoints: zeroPoints.extracting(part(counts.zeroPoints)), rows: rows, into: &span)
      }
    }
  }

  /// The products of a few rows with rows of weights, as the comparison of layers needs them.
  var multiplying: Kernel {
    let leftRows = 16
    let rightRows = Self.quantizedCount / Self.columns
    let left = values[..<(leftRows * Self.columns)]
    let tile = Tile<Float>(0, count: leftRows * rightRows)
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
                left.baseAddress, leftRows, values + piece * Self.quantizedCount, rightRows,
                Self.columns, products.baseAddress, rightRows)
            }
          }
        }
      }
    }
  }
}
