import Container
import FixtureSupport
import Quantization
import Testing

@testable import Conversion

@Suite("The size under another scheme is that of its plan")
struct SizeOfSchemesTests {
  @Test(arguments: [
    "deepseek_v3_mtp", "llama_r1_distill", "mixtral", "qwen3_moe", "trained",
  ])
  func everyScheme(fixture: String) throws {
    let source = try Source(path: Fixtures.path(fixture))
    let kept = try ConversionPlan(source: source, options: ConversionOptions(scheme: .keep))
    var mixed = ConversionOptions(scheme: .int4AsymmetricG32)
    mixed.recipe = try Recipe(
      yaml:
        "rules:\n  - {role: attention, scheme: mxfp8}\n"
        + "  - {tensors: \"*embed_tokens*\", scheme: bf16}\n",
      file: "recipe.yaml")
    mixed.sha256 = true
    let mixedPlan = try ConversionPlan(source: source, options: mixed)

    for scheme in Scheme.allCases {
      let options = ConversionOptions(scheme: scheme)
      let plan = try ConversionPlan(source: source, options: options)
      for other in [kept, mixedPlan] {
        let size = try other.size(with: options)
        #expect(size.byteCount == plan.container.byteCount)
        #expect(size.bitsPerWeight == plan.bitsPerWeight)
      }
    }
    #expect(try kept.size(with: mixed).byteCount == mixedPlan.container.byteCount)
  }
}
