import ReferenceModel
import Tensors
import Testing

@Suite struct RowsTests {
  @Test func gatheringRepeatsAndReorders() {
    let table = Matrix(rows: 3, columns: 2, values: [0, 1, 10, 11, 20, 21])
    #expect(
      table.gatheredRows(at: [2, 0, 2])
        == Matrix(rows: 3, columns: 2, values: [20, 21, 0, 1, 20, 21]))
    #expect(table.gatheredRows(at: []) == Matrix(rows: 0, columns: 2))
  }

  @Test func scatteringAddsWeightedRows() {
    let routing = Routing(
      expertCount: 2, expertsPerToken: 1, experts: [1, 0, 1], weights: [2, 3, 4])
    var sum = Matrix(rows: 3, columns: 1, values: [100, 100, 100])
    sum.scatterAdd(
      Matrix(rows: 2, columns: 1, values: [1, 10]), to: routing.tokens(of: 1))
    #expect(sum.values == [102, 100, 140])
  }

  @Test func rootMeanSquare() {
    #expect(Matrix(rows: 2, columns: 2, values: [1, -1, 7, 7]).rootMeanSquare == 5)
    #expect(Matrix(rows: 0, columns: 4).rootMeanSquare == 0)
    // Squares that overflow Float32.
    #expect(Matrix(rows: 1, columns: 1, values: [1e30]).rootMeanSquare == Double(Float(1e30)))
  }

  @Test func normalizedRowsHaveTheWeightsScale() {
    let matrix = Matrix.seededNormal(rows: 3, columns: 50, rootMeanSquare: 100, seed: 1)
    let weight = (0..<50).map { Float($0) / 10 }
    let normalized = matrix.normalized(weight: weight, epsilon: 1e-6)
    for row in 0..<3 {
      let values = matrix.row(row).map(Double.init)
      let scale = (values.map { $0 * $0 }.reduce(0, +) / 50 + 1e-6).squareRoot()
      for (column, value) in normalized.row(row).enumerated() {
        let expected = values[column] / scale * Double(weight[column])
        #expect(abs(Double(value) - expected) <= 3e-7 * abs(expected))
      }
    }
  }

  /// A row of zeros stays one, and ε counts where values are small.
  @Test func epsilonKeepsSmallRowsSmall() {
    let matrix = Matrix(rows: 2, columns: 1, values: [0, 1e-3])
    let normalized = matrix.normalized(weight: [1], epsilon: 1e-6)
    #expect(normalized.values[0] == 0)
    #expect(abs(normalized.values[1] - Float(0.5.squareRoot())) < 1e-6)
  }
}

@Suite struct SeededInputTests {
  /// From the reference implementation in C, prng.di.unimi.it/splitmix64.c, seed 1234567.
  @Test func splitMix64IsTheKnownOne() {
    var generator = SplitMix64(seed: 1_234_567)
    let numbers = (0..<5).map { _ in generator.next() }
    #expect(
      numbers == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
      ])
  }

  @Test func numbersAreNormalAndOfTheScale() {
    let matrix = Matrix.seededNormal(rows: 200, columns: 501, rootMeanSquare: 0.02, seed: 3)
    let values = matrix.values.map { Double($0) / 0.02 }
    let count = Double(values.count)
    #expect(abs(values.reduce(0, +) / count) < 0.01)
    #expect(abs(values.map { $0 * $0 }.reduce(0, +) / count - 1) < 0.015)
    // The fourth moment tells a normal distribution (3) from a uniform one (1.8).
    #expect(abs(values.map { $0 * $0 * $0 * $0 }.reduce(0, +) / count - 3) < 0.1)
  }

  @Test func streamsAreTheirOwnAndRepeatable() {
    func numbers(seed: UInt64, _ stream: [UInt64]) -> [Float] {
      Matrix.seededNormal(rows: 1, columns: 7, rootMeanSquare: 1, seed: seed, stream: stream)
        .values
    }
    let variants = [
      numbers(seed: 0, []), numbers(seed: 1, []), numbers(seed: 0, [0]), numbers(seed: 0, [1]),
      numbers(seed: 0, [0, 1]), numbers(seed: 0, [1, 0]), numbers(seed: 1, [0, 1]),
    ]
    #expect(Set(variants).count == variants.count)
    #expect(numbers(seed: 5, [3, 200]) == numbers(seed: 5, [3, 200]))
  }
}
