import ReferenceModel
import Testing

@testable import Conversion

/// The estimate of an error from a sample, on populations whose error is known.
@Suite struct ErrorEstimateTests {
  typealias Tile = (squares: Double, squaredErrors: Double)

  /// Strata of different sizes and errors; the tiles of a stratum differ among each other.
  private static func population(seed: UInt64) -> [[Tile]] {
    var generator = SplitMix64(seed: seed)
    return [(40, 0.01), (200, 0.006), (1000, 0.008)].map { count, error in
      (0..<count).map { _ in
        let squares = Double.random(in: 0.5..<2, using: &generator)
        let squared = squares * error * Double.random(in: 0.6..<1.4, using: &generator)
        return (squares, squared)
      }
    }
  }

  private static func error(_ tiles: [Tile]) -> Double {
    let sums = tiles.reduce((0.0, 0.0)) { ($0.0 + $1.squares, $0.1 + $1.squaredErrors) }
    return (sums.1 / sums.0).squareRoot()
  }

  @Test func allTilesGiveTheErrorItself() {
    let population = Self.population(seed: 1)
    let estimate = ErrorEstimate(population.map { .init(tileCount: $0.count, tiles: $0) })
    let exact = Self.error(Array(population.joined()))
    #expect(abs(estimate.relativeError - exact) < 1e-14)
    #expect(estimate.standardError == 0 && estimate.margin == 0)
  }

  @Test func nothingLostIsCertain() {
    let kept = ErrorEstimate([.init(tileCount: 50, tiles: [(1, 0), (3, 0)])])
    #expect(kept.relativeError == 0 && kept.margin == 0)
    #expect(ErrorEstimate([]).relativeError == 0)
    let zeros = ErrorEstimate([.init(tileCount: 50, tiles: [(0, 0), (0, 0)])])
    #expect(zeros.relativeError == 0 && zeros.margin == 0)
    #expect(!ErrorEstimate([.init(tileCount: 1, tiles: [(0, 1)])]).relativeError.isFinite)
  }

  /// Over many samples, the estimates scatter as their standard errors say, around the true error,
  /// and the margin covers it in 95 of 100.
  @Test func standardErrorsAreTrue() {
    let population = Self.population(seed: 2)
    let exact = Self.error(Array(population.joined()))
    let draws = 2000
    var generator = SplitMix64(seed: 3)
    var (bias, variance, claimed, covered) = (0.0, 0.0, 0.0, 0)
    for _ in 0..<draws {
      let estimate = ErrorEstimate(
        zip(population, [8, 10, 20]).map { tiles, count in
          .init(
            tileCount: tiles.count,
            tiles: Array(tiles.shuffled(using: &generator).prefix(count)))
        })
      let deviation = estimate.relativeError - exact
      bias += deviation / Double(draws)
      variance += deviation * deviation / Double(draws)
      claimed += estimate.standardError * estimate.standardError / Double(draws)
      if abs(deviation) <= estimate.margin { covered += 1 }
    }
    // The mean of 2000 estimates is known to 1/45 of the scatter of one, their variance to 1/32.
    #expect(abs(bias) < 0.1 * variance.squareRoot())
    #expect(abs(claimed / variance - 1) < 0.15)
    #expect((0.92...0.98).contains(Double(covered) / Double(draws)))
  }

  /// Quantiles of the tables in Cochran's book and elsewhere.
  @Test(arguments: [
    (1.0, 12.706), (2, 4.303), (3.9, 3.182), (5, 2.571), (6, 2.447), (10, 2.228), (30, 2.042),
    (120, 1.980), (1e9, 1.960),
  ])
  func student(degreesOfFreedom: Double, quantile: Double) {
    let found = ErrorEstimate.studentQuantile(degreesOfFreedom: degreesOfFreedom)
    #expect(abs(found - quantile) < 0.006)
  }
}
