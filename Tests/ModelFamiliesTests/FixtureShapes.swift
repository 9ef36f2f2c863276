import Bytes
import FixtureSupport
import ModelFamilies
import SystemPackage
import Tensors

/// The config and the weights' shapes of a fixture, as its `meta.json` lists them: what a family
/// is told, without reading any weight.
struct FixtureShapes {
  var config: [String: JSONValue]
  var weights: [NamedShape]

  static let names =
    [
      "deepseek_v3", "deepseek_v3_fp8", "deepseek_v3_mtp", "qwen3_moe", "mixtral",
      "llama_r1_distill", "qwen2_r1_distill", "seed_oss", "kimi_k2",
    ] + mixtures

  /// Those with expected values for the mixture of layer 1.
  static let mixtures = [
    "deepseek_v2", "deepseek_v2_lite", "deepseek_v32", "glm4_moe",
    "glm_moe_dsa", "qwen2_moe", "qwen3_next", "minimax", "minimax_m2", "hunyuan_v1_moe",
    "ernie4_5_moe", "olmoe", "jamba", "phimoe",
    "qwen3_5_moe", "gpt_oss", "granitemoe", "llama4_text", "dbrx",
    "deepseek_v4",
  ]

  init(_ fixture: String) throws {
    config = try Self.object("\(fixture)/config.json")
    let tensors = try Self.object("\(fixture)/meta.json")["tensors"]?.object ?? [:]
    weights = tensors.filter { !$0.key.hasSuffix("_scale_inv") }
      .map { name, description in
        let dimensions = description[1]?.array?.compactMap(\.int) ?? []
        return NamedShape(name: name, shape: Shape(dimensions)!)
      }
      .sorted { $0.name < $1.name }
  }

  func describe() throws -> ModelDescription {
    let family = try ModelFamily.recognize(config: .object(config))
    return try family.describe(config: .object(config), weights: weights)
  }

  private static func object(_ path: String) throws -> [String: JSONValue] {
    let file = try File(path: Fixtures.path(path))
    let json = try JSONValue(
      parsing: try file.bytes(in: 0..<file.byteCount), file: file.path)
    return json.object ?? [:]
  }
}

extension FixtureShapes {
  mutating func rename(_ name: String, to newName: String) {
    let index = weights.firstIndex { $0.name == name }!
    weights[index] = NamedShape(name: newName, shape: weights[index].shape)
  }

  mutating func remove(_ name: String) {
    let index = weights.firstIndex { $0.name == name }!
    weights.remove(at: index)
  }

  mutating func reshape(_ name: String, _ dimensions: [Int]) {
    let index = weights.firstIndex { $0.name == name }!
    weights[index] = NamedShape(name: name, shape: Shape(dimensions)!)
  }

  mutating func add(_ name: String, _ dimensions: [Int]) {
    weights.append(NamedShape(name: name, shape: Shape(dimensions)!))
  }
}
