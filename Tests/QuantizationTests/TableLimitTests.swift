import Quantization
import Testing

/// What tables of levels reach on weights of two distributions, and what `fast` may lose.
@Suite struct TableLimitTests {
  static let rows = 256
  static let columns = 4096

  /// Student's t-distribution with 4 degrees of freedom: a normal value over the root of the mean
  /// of four squares of such.
  static func heavyTailed(_ count: Int) -> [Float] {
    let normal = normalValues(count * 5, standardDeviation: 1, seed: 17)
    return (0..<count).map { index in
      let squares = normal[(5 * index + 1)...(5 * index + 4)].reduce(0) { $0 + $1 * $1 }
      return 0.02 * normal[5 * index] / (squares / 4).squareRoot()
    }
  }

  static let normal = normalValues(rows * columns)
  static let heavy = heavyTailed(rows * columns)

  /// The limits are those of a PyTorch experiment on 4096×4096, and for `lut4-g32-k2` the errors of
  /// ggml's Q4_K, which has 4.5 bits, on the same. A million weights of the
  /// heavy-tailed distribution have a relative error with a standard deviation of about half a
  /// percent, for the sum of their squares is carried by few: thrice that is allowed.
  @Test(arguments: [
    (Scheme.lut4G32, 0.0745, 0.0852), (.lut4G32K2, 0.0707, 0.0861),
    (.lut4G16, 0.0656, 0.0716), (.lut4G16K2, 0.0638, 0.0660),
    (.lut3G16, 0.1343, 0.1462), (.lut3G16K2, 0.1285, 0.1346),
  ])
  func limits(scheme: Scheme, onNormal: Double, onHeavyTailed: Double) throws {
    let format = try #require(scheme.format)
    for (weights, limit) in [(Self.normal, onNormal), (Self.heavy, onHeavyTailed * 1.015)] {
      let errors = [ScaleSearch.fast, .full].map {
        QuantizedMatrix(
          weights, rows: Self.rows, columns: Self.columns, format: format, search: $0
        ).relativeError(of: weights)
      }
      #expect(errors[1] <= limit)
      #expect(errors[0] <= 1.02 * errors[1])
    }
  }
}
