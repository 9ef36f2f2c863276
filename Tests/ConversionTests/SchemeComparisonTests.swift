import FixtureSupport
import ModelFamilies
import Quantization
import SourceWeights
import Tensors
import Testing
import Validation

@testable import Conversion

/// What `plan --compare` tells, against conversions and against each other.
@Suite struct SchemeComparisonTests {
  private static func compare(
    _ fixture: String, _ schemes: [Scheme] = Scheme.allCases, sampleSize: Int = .max / 2,
    seed: UInt64 = 0, _ change: (inout ConversionOptions) throws -> Void = { _ in }
  ) throws -> SchemeComparison {
    var options = ConversionOptions(scheme: .keep)
    try change(&options)
    return try SchemeComparison(
      source: Source(path: Fixtures.path(fixture)), options: options, schemes: schemes,
      sampleSize: sampleSize, seed: seed)
  }

  /// Where the sample is everything, the figures are those of the conversion.
  @Test(arguments: [
    ("trained", Scheme.nvfp4), ("trained", .int4AsymmetricG64), ("deepseek_v3_fp8", .fp8E4M3Tensor),
    ("qwen3_moe", .int8Channel), ("granitemoe", .mxfp4), ("mixtral", .bf16), ("trained", .keep),
    ("trained", .fp8E4M3Block128),
  ])
  func wholeIsExact(fixture: String, scheme: Scheme) throws {
    try withTemporaryFolder { folder in
      let recipe = try Recipe(
        yaml: "rules: [{role: expert.down, scheme: int4-g32}]", file: "r.yaml")
      let converted = try Converted(fixture, in: folder, scheme: scheme) {
        $0.gate = false
        $0.recipe = recipe
      }
      let comparison = try Self.compare(fixture, [.bf16, scheme]) { $0.recipe = recipe }
      let row = try #require(comparison.schemes.first { $0.scheme == scheme.rawValue })
      #expect(row.outputBytes == converted.report.bytes.output)
      #expect(row.bitsPerWeight == converted.report.bytes.bitsPerWeight)
      #expect(row.fileBitsPerWeight == converted.report.bytes.fileBitsPerWeight)
      #expect(comparison.sampledWeights == comparison.weights && row.margin == 0)

      var (squares, squaredErrors, count, copied) = (0.0, 0.0, 0, 0)
      for unit in converted.plan.units {
        for weight in unit.weights where weight.role.isMLPWeight {
          let reference = WeightReference(name: weight.source.name, part: weight.part?.part)
          let original = try converted.original(reference).values
          count += original.count
          if weight.treatment == .copy { copied += original.count }
          for (a, b) in zip(original, try converted.delivered(reference).values) {
            squares += Double(a) * Double(a)
            squaredErrors += Double(a - b) * Double(a - b)
          }
        }
      }
      #expect(comparison.weights == count)
      #expect(row.copiedShare == Double(copied) / Double(count))
      let exact = (squaredErrors / squares).squareRoot()
      #expect(abs(try #require(row.relativeError) - exact) <= 1e-6 * exact)
    }
  }

  /// A part of the tiles gives an interval that holds the exact error about as often as it should.
  @Test(arguments: ["trained", "deepseek_v3_mtp", "qwen3_moe"])
  func samplesCoverTheTruth(fixture: String) throws {
    let schemes: [Scheme] = [.int4G64, .nvfp4, .fp8E4M3Channel, .mxfp8]
    let exact = try Self.compare(fixture, schemes)
    let draws = 40
    var covered = [Int](repeating: 0, count: schemes.count)
    for seed in 0..<UInt64(draws) {
      let found = try Self.compare(
        fixture, schemes, sampleSize: exact.weights / 4, seed: seed)
      #expect(found.weights == exact.weights && found.sampledWeights < exact.weights / 2)
      #expect(found.schemes.map(\.outputBytes) == exact.schemes.map(\.outputBytes))
      for (place, scheme) in schemes.enumerated() {
        let (a, b) = (found[scheme], exact[scheme])
        #expect(a.margin > 0)
        if abs(a.error - b.error) <= a.margin { covered[place] += 1 }
      }
    }
    // At a coverage of 90 %, fewer than 31 of 40 have a chance of 1 in 200.
    for (place, scheme) in schemes.enumerated() {
      #expect(covered[place] >= 31, "\(scheme): \(covered[place]) of \(draws)")
    }
  }

  @Test func sameForAnyNumberOfThreads() throws {
    let one = try Self.compare("trained", sampleSize: 300_000) { $0.threads = 1 }
    let three = try Self.compare("trained", sampleSize: 300_000) { $0.threads = 3 }
    #expect(one == three && one.sampledWeights < one.weights)
    #expect(one.schemes.count == Scheme.allCases.count)
    let other = try Self.compare("trained", sampleSize: 300_000, seed: 1)
    #expect(one.schemes.map(\.relativeError) != other.schemes.map(\.relativeError))
  }

  /// Tiles are whole rows from the start of a block on; each stratum is spread over its layers.
  @Test func tilesAreSpread() throws {
    let source = try Source(path: Fixtures.path("trained"))
    let options = ConversionOptions(scheme: .int4G64)
    let whole = try TileSample(source: source, options: options, elementCount: .max / 2, seed: 0)
    let sample = try TileSample(
      source: source, options: options, elementCount: whole.elementCount / 3, seed: 5)
    #expect(whole.strata.allSatisfy { $0.tiles.count == $0.tileCount })
    #expect(whole.strata.reduce(0) { $0 + $1.elementCount } == whole.elementCount)
    for (some, all) in zip(sample.strata, whole.strata) {
      #expect(some.tileCount == all.tileCount && some.tiles.count >= min(2, all.tileCount))
      var places: [Int] = []
      for tile in some.tiles {
        places.append(try #require(all.tiles.firstIndex(of: tile)))
        #expect(tile.rows.lowerBound % 128 == 0)
        #expect(tile.rows.upperBound <= source.matrices[tile.matrix].shape.rows)
      }
      // One of each of equal runs: no two are further apart than two runs are long.
      let run = Double(all.tileCount) / Double(some.tiles.count)
      for (a, b) in zip(places, places.dropFirst()) {
        #expect(a < b && Double(b - a) < 2 * run + 1)
      }
    }
  }

  @Test func frontier() throws {
    var comparison = try Self.compare("mixtral", [.keep, .bf16, .int4G32, .mxfp4])
    let points: [(bytes: Int, error: Double?, isOn: Bool)] = [
      (10, 0.3, true), (10, 0.4, false), (11, 0.3, false), (12, 0.1, true), (12, 0.1, true),
      (20, nil, false), (20, 0, true), (30, 0, false),
    ]
    comparison.schemes = points.map { point in
      var row = comparison.schemes[0]
      (row.outputBytes, row.relativeError) = (point.bytes, point.error)
      return row
    }
    comparison.markFrontier()
    #expect(comparison.schemes.map(\.isOnFrontier) == points.map(\.isOn))
  }

  /// A scheme that a tensor cannot have is left out and named; if none fits, that is the error.
  @Test func recipeThatDoesNotFit() throws {
    #expect(throws: ConversionError.self) {
      try Self.compare("mixtral") {
        $0.recipe = try Recipe(
          yaml: "rules: [{tensors: \"*norm.weight\", scheme: int4-g32}]", file: "r.yaml")
      }
    }
  }
}

extension SchemeComparison {
  fileprivate subscript(scheme: Scheme) -> (error: Double, margin: Double) {
    let row = schemes.first { $0.scheme == scheme.rawValue }
    return (row?.relativeError ?? .nan, row?.margin ?? .nan)
  }
}
