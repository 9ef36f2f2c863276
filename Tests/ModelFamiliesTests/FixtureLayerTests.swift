import FixtureChecks
import FixtureSupport
import Testing

/// The reference against what transformers computed from the same weights.
@Suite struct FixtureLayerTests {
  @Test(arguments: Fixtures.models)
  func everyFixtureIsReproduced(name: String) throws {
    #expect(try FixtureFolder(path: Fixtures.path(name)).mismatches() == [])
  }

  @Test func thereAreFixtures() {
    #expect(Fixtures.models.count > 30)
  }

  /// A further file of expected values, for the mixture of one layer.
  struct Block: Sendable, CustomTestStringConvertible {
    let fixture: String
    let layer: Int
    let file: String
    var prefix = ""
    var indices = "topk_indices_i64"

    var testDescription: String { "\(fixture)/\(file) layer \(layer)" }
  }

  static let blocks =
    [Block(fixture: "deepseek_v3_mtp", layer: 2, file: "expected_mtp.safetensors")]
    + (1...3).map {
      Block(
        fixture: "trained", layer: $0, file: "activations.safetensors", prefix: "layers.\($0).",
        indices: "topk_indices")
    }

  @Test(arguments: blocks)
  func mixtureReproducesTheExpectedValues(_ block: Block) throws {
    let expected = MixtureBlock(
      layer: block.layer, file: Fixtures.path("\(block.fixture)/\(block.file)"),
      prefix: block.prefix, indices: block.indices)
    #expect(try expected.mismatches(of: FixtureModel(block.fixture)) == [])
  }
}
