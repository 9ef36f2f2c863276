import Testing
import Validation

@Suite struct OutputComparisonTests {
  @Test(arguments: [1, 2, 1000])
  func agreesWithItsFormulas(count: Int) throws {
    var generator = SystemRandomNumberGenerator()
    let y = (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
    let ŷ = y.map { $0 + Float.random(in: -0.1...0.1, using: &generator) }
    var comparison = OutputComparison()
    comparison.add(reference: y[..<(count / 2)], approximation: ŷ[..<(count / 2)])
    comparison.add(reference: y[(count / 2)...], approximation: ŷ[(count / 2)...])

    func sum(_ term: (Double, Double) -> Double) -> Double {
      zip(y, ŷ).reduce(0) { $0 + term(Double($1.0), Double($1.1)) }
    }
    let error = (sum { ($1 - $0) * ($1 - $0) } / sum { y, _ in y * y }).squareRoot()
    let cosine = sum { $0 * $1 } / (sum { y, _ in y * y } * sum { _, ŷ in ŷ * ŷ }).squareRoot()
    #expect(abs(try #require(comparison.relativeError) - error) <= 1e-12)
    #expect(abs(try #require(comparison.cosine) - cosine) <= 1e-12)
  }

  @Test(
    arguments: [
      ([1, 2], [1, 2], 0.0, 1.0), ([0, 0], [0, 0], 0, 1), ([], [], 0, 1),
      ([3, 4], [0, 0], 1, nil), ([0, 0], [1, 0], nil, nil), ([1, 0], [-1, 0], 2, -1),
      ([.nan], [1], nil, nil), ([1], [.nan], nil, nil), ([1], [.infinity], nil, nil),
      ([.infinity], [.infinity], nil, nil),
    ] as [([Float], [Float], Double?, Double?)])
  func specialCases(y: [Float], ŷ: [Float], error: Double?, cosine: Double?) {
    var comparison = OutputComparison()
    comparison.add(reference: y, approximation: ŷ)
    #expect(comparison.relativeError == error)
    #expect(comparison.cosine == cosine)
  }
}
