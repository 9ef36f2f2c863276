import Quantization
import Testing

/// What full search reaches on normal weights. A PyTorch grid search gave the limits.
@Suite struct ErrorLimitTests {
  static let rows = 128
  static let columns = 4096
  static let weights = normalValues(rows * columns)

  @Test(arguments: [
    (Scheme.int4G128, 0.0970), (.int4G64, 0.0902), (.int4G32, 0.0812),
    (.int4AsymmetricG128, 0.0950), (.int4AsymmetricG32, 0.0777),
    (.mxfp4, 0.1117), (.nvfp4, 0.0816), (.fp8E4M3Block128, 0.0266),
    (.mxfp8, 0.0266), (.fp8E4M3Channel, 0.0266), (.fp8E4M3Tensor, 0.0266), (.int8Channel, 0.0088),
  ])
  func fullSearch(scheme: Scheme, limit: Double) throws {
    let format = try #require(scheme.format)
    let quantized = QuantizedMatrix(
      Self.weights, rows: Self.rows, columns: Self.columns, format: format, search: .full)
    #expect(quantized.relativeError(of: Self.weights) <= limit)
  }

  /// More candidates never lose.
  @Test(arguments: Scheme.allCases.filter { $0.format != nil })
  func searchesInOrder(scheme: Scheme) throws {
    let format = try #require(scheme.format)
    let rows = 16
    let weights = Array(Self.weights[..<(rows * Self.columns)])
    let errors = [ScaleSearch.absmax, .fast, .full].map {
      QuantizedMatrix(weights, rows: rows, columns: Self.columns, format: format, search: $0)
        .relativeError(of: weights)
    }
    #expect(errors[1] <= errors[0] * 1.0001)
    #expect(errors[2] <= errors[1] * 1.0001)
  }
}
