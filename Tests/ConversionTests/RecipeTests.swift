import Bytes
import Container
import Conversion
import FixtureSupport
import ModelFamilies
import Quantization
import SourceWeights
import Testing
import Validation

@Suite struct RecipeTests {
  static func recipe(_ rules: String...) throws -> Recipe {
    try Recipe(yaml: "rules:\n" + rules.map { "  - {\($0)}\n" }.joined(), file: "r.yaml")
  }

  @Test func theFirstMatchDecides() throws {
    let recipe = try Self.recipe(
      "tensors: '*.experts.3.*', scheme: mxfp4", "role: expert.down, scheme: keep",
      "role: expert, scheme: int8-channel", "tensors: '*', scheme: bf16")
    func scheme(_ name: String, _ role: TensorRole) -> Scheme? {
      recipe.scheme(tensor: name, role: role, isMatrix: true)
    }
    #expect(scheme("layers.0.experts.3.down_proj.weight", .expertDown) == .mxfp4)
    #expect(scheme("layers.0.experts.4.down_proj.weight", .expertDown) == .keep)
    #expect(scheme("layers.0.experts.4.up_proj.weight", .expertUp) == .int8Channel)
    #expect(scheme("lm_head.weight", .head) == .bf16)
    #expect(Recipe.empty.scheme(tensor: "a", role: .head, isMatrix: true) == nil)
  }

  @Test(arguments: [
    ("a.b", "a.b", true), ("a.b", "a", false), ("a.b", "*", true), ("", "*", true), ("", "", true),
    ("a", "", false), ("abc", "a*c", true), ("ac", "a*c", true), ("abcb", "a*c", false),
    ("aXbXc", "a*b*c", true), ("layers.13.mlp", "layers.1.*", false), ("aaab", "*aab", true),
    ("a*b", "a*b", true), ("axb", "a.b", false), ("a.b", "a?b", false), ("ab", "**a**b**", true),
  ])
  func patterns(name: String, pattern: String, matches: Bool) throws {
    let recipe = try Self.recipe("tensors: '\(pattern)', scheme: bf16")
    #expect((recipe.scheme(tensor: name, role: .head, isMatrix: true) == .bf16) == matches)
  }

  /// A role, or the first part of several; not any text that roles start with.
  @Test func roles() throws {
    func matches(_ role: String, _ tensor: TensorRole, isMatrix: Bool = true) throws -> Bool {
      try Self.recipe("role: \(role), scheme: bf16")
        .scheme(tensor: "t", role: tensor, isMatrix: isMatrix) != nil
    }
    #expect(try matches("expert", .expertGate) && matches("expert.gate", .expertGate))
    #expect(try !matches("expert.gate", .expertUp) && !matches("shared", .expertUp))
    #expect(try matches("router", .router) && matches("router", .routerBias))
    #expect(try matches("attention", .attention))
    // A role stands for its matrices.
    #expect(try !matches("attention", .attentionBias, isMatrix: false))
    #expect(throws: ConversionError.self) { try Self.recipe("role: exp, scheme: bf16") }
  }

  @Test(arguments: [
    ("", "rules"), ("[]", "rules"), ("rules: 1", "rules"), ("rules: []\nmore: 1", "rules"),
    ("rules: [1]", "rule 1"), ("rules: [{role: norm}]", "rule 1 needs"),
    ("rules: [{scheme: keep}]", "rule 1 needs"),
    ("rules: [{role: norm, tensors: a, scheme: keep}]", "'tensors' is not expected"),
    ("rules: [{role: norm, scheme: keep}, {role: x, scheme: keep}]", "rule 2: no role 'x'"),
    ("rules: [{tensors: a, scheme: int3}]", "no scheme 'int3'"),
    ("rules: [{tensors: a, scheme: keep, why: b}]", "'why'"),
    ("rules: [{tensors: [a], scheme: keep}]", "no text"), ("rules: [", "r.yaml"),
  ])
  func refuses(yaml: String, reason: String) {
    let error = #expect(throws: ConversionError.self) { try Recipe(yaml: yaml, file: "r.yaml") }
    let text = error?.description ?? ""
    #expect(error?.kind == .usage && !text.contains("\n"))
    #expect(text.hasPrefix("r.yaml: not a recipe: ") && text.contains(reason), "\(text)")
  }

  /// What is asked for is what is delivered: scheme by scheme, and the text travels in the file.
  @Test func isFollowed() throws {
    try withTemporaryFolder { folder in
      let recipe = try Self.recipe(
        "role: expert.down, scheme: int4-asym-g32", "role: attention, scheme: fp8-e4m3-channel",
        "role: head, scheme: bf16", "tensors: '*.shared_experts.*', scheme: keep")
      let converted = try Converted("deepseek_v3", in: folder, scheme: .int4G128) {
        $0.recipe = recipe
      }
      for weight in converted.plan.units.flatMap(\.weights) {
        let expected: Scheme =
          switch weight.role {
          case .expertDown: .int4AsymmetricG32
          case .attention: .fp8E4M3Channel
          case .head: .bf16
          case .expertGate, .expertUp, .denseGate, .denseUp, .denseDown: .int4G128
          default: .keep
          }
        #expect(weight.scheme == expected, "\(weight.source.name)")
      }
      #expect(Set(converted.report.weights.map(\.scheme)).count == 4)
      #expect(converted.report.recipe == recipe.text)
      let metadata = try converted.reader().metadata()
      #expect(metadata["recipe"]?.string == recipe.text)
    }
  }

  @Test(arguments: [
    ("tensors: '*input_layernorm.weight', scheme: int4-g32", "input_layernorm.weight"),
    ("tensors: '*e_score_correction_bias', scheme: bf16", "e_score_correction_bias"),
  ])
  func misfitsAreNamed(rule: String, tensor: String) throws {
    let source = try Source(path: Fixtures.path("deepseek_v3"))
    var options = ConversionOptions(scheme: .int4G32)
    options.recipe = try Self.recipe(rule)
    let error = #expect(throws: ConversionError.self) {
      try ConversionPlan(source: source, options: options)
    }
    #expect(error?.description.contains(tensor) == true && error?.kind == .usage)
    #expect(error?.description.contains("is no matrix") == true)
  }

  /// Every scheme also for the embedding, whose rows the streams read apart from each other.
  @Test(arguments: Scheme.allCases)
  func embeddings(scheme: Scheme) throws {
    try withTemporaryFolder { folder in
      let converted = try Converted("mixtral", in: folder, scheme: .keep) {
        $0.recipe = try Self.recipe("role: embedding, scheme: \(scheme.rawValue)")
      }
      let layer = try #require(converted.report.layers.first)
      #expect((layer.cumulativeRelativeError ?? 0 > 1e-4) == (scheme != .keep && scheme != .bf16))
      #expect((layer.relativeError ?? 1) < 1e-5)
    }
  }
}
