import FixtureChecks
import FixtureSupport
import SourceWeights
import Testing

/// Patterns of `ignore` and `targets`, seen through what they let in.
struct NamePatternTests {
  static func config(ignore: String) -> String {
    #"{"quantization_config":{"quant_method":"compressed-tensors","format":"float-quantized","ignore":["re:\#(ignore)"],"config_groups":{"g":{"targets":["Linear"],"weights":{"num_bits":8,"type":"float","strategy":"tensor"}}}}}"#
  }

  /// Whether a module is left out by a pattern; nil where the pattern is not understood.
  static func ignores(_ pattern: String, _ module: String) throws -> Bool? {
    var result: Bool?
    try withCheckpoint(
      [
        ("\(module).weight", "F8_E4M3", [1, 1], [0x38]),
        ("\(module).weight_scale", "F32", [], [0, 0, 0x80, 0x3F]),
      ], config: config(ignore: pattern)
    ) { checkpoint in
      do throws(SourceWeightsError) {
        _ = try SourceWeights(checkpoint: checkpoint)
        result = false
      } catch .contradiction {
        result = true
      } catch .unknownPattern {
        result = nil
      }
    }
    return result
  }

  /// Python's `re.match` gives the same.
  @Test(arguments: [
    (".*self_attn.*", "model.layers.0.self_attn.q_proj", true),
    (".*self_attn.*", "model.layers.0.mlp.up_proj", false),
    (#".*mlp\\.(gate|up|gate_up|down)_proj.*"#, "model.layers.0.mlp.up_proj", true),
    (#".*mlp\\.(gate|up|gate_up|down)_proj.*"#, "model.layers.0.mlp.gate_up_proj", true),
    (#".*mlp\\.(gate|up|gate_up|down)_proj.*"#, "model.layers.0.mlp.experts.3.up_proj", false),
    (#".*mlp\\.gate$"#, "model.layers.0.mlp.gate", true),
    (#".*mlp\\.gate$"#, "model.layers.0.mlp.gate_proj", false),
    ("mlp", "model.mlp", false), ("model", "model.mlp", true), ("^model", "model.mlp", true),
    (#"model\\.layers\\.[0-3]\\."#, "model.layers.2.a", true),
    (#"model\\.layers\\.[0-3]\\."#, "model.layers.4.a", false),
    (#"model\\.layers\\.[^0-3]\\."#, "model.layers.4.a", true),
    (#"model\\.layers\\.\\d+\\.a"#, "model.layers.61.a", true),
    (#"model\\.layers\\.\\d{2}\\.a"#, "model.layers.6.a", false),
    (#"model\\.layers\\.\\d{1,}\\.a"#, "model.layers.6.a", true),
    ("(?:a|b)+c?d{0,1}$", "ababc", true), ("(?:a|b)+c?d{0,1}$", "ababcc", false),
    ("a*?b", "aaab", true), ("a|", "b", true), ("(a|b|c)x", "cx", true), ("[a-]x", "-x", true),
    ("(a*)*b", String(repeating: "a", count: 200), false),
  ])
  func matchesFromTheStart(pattern: String, module: String, expected: Bool) throws {
    #expect(try Self.ignores(pattern, module) == expected)
  }

  @Test(arguments: [
    "(", ")", "a)", "[", "[z-a]", "*", "a**", "(?!a)", "(?P<n>a)", #"\\1"#, #"\\b"#, "a{2",
    "a{3,2}",
    "((((a{200}){200}){200}){200})", "(((){200}){200}){200}",
    String(repeating: "(", count: 100) + String(repeating: ")", count: 100),
  ])
  func refusesWhatItDoesNotUnderstand(pattern: String) throws {
    let isEmpty = pattern.hasPrefix("((()")
    #expect(try Self.ignores(pattern, "x") == (isEmpty ? true : nil))
  }
}
