import Bytes
import Tensors

/// A group of `config_groups`: what is stored how.
struct CompressedTensorsGroup: Sendable {
  /// Which modules a group is for.
  enum Target: Sendable {
    case name(String)
    case pattern(NamePattern)
    /// A class of modules, such as `Linear`; which weights are of it, the files do not tell.
    case moduleClass

    init(_ text: String) throws(SourceWeightsError) {
      if text.hasPrefix("re:") {
        guard let pattern = NamePattern(String(text.dropFirst(3))) else {
          throw .unknownPattern(text)
        }
        self = .pattern(pattern)
      } else {
        self = text.contains(".") || text == "lm_head" ? .name(text) : .moduleClass
      }
    }

    /// Whether the module is meant by its name.
    func names(_ module: String) -> Bool {
      switch self {
      case .name(let name): name == module
      case .pattern(let pattern): pattern.matches(module)
      case .moduleClass: false
      }
    }

    var isClass: Bool { if case .moduleClass = self { true } else { false } }
  }

  let format: String
  let bits: Int
  let isFloat: Bool
  let isSymmetric: Bool
  let blocks: ScaleBlocks
  /// Whether inputs are quantized in another order than they are stored.
  let isReordered: Bool
  let targets: [Target]

  init(_ group: JSONValue, key: String, format: String?) throws(SourceWeightsError) {
    guard let format = group["format"]?.string ?? format else {
      throw .unknownSetting(key: key + ".format", found: describe(group["format"]))
    }
    self.format = format
    let weights = group["weights"]
    let place = key + ".weights"
    guard let bits = weights?["num_bits"]?.int, 1...8 ~= bits else {
      throw .unknownSetting(key: place + ".num_bits", found: describe(weights?["num_bits"]))
    }
    self.bits = bits
    switch weights?["type"]?.string {
    case "float": isFloat = true
    case "int": isFloat = false
    default: throw .unknownSetting(key: place + ".type", found: describe(weights?["type"]))
    }
    isSymmetric = weights?["symmetric"]?.bool ?? true
    let order = weights?["actorder"] ?? .null
    // `weight` orders the columns only while it searches; `group` is stored so.
    isReordered = order.string == "group"
    guard order.isNull || ["group", "weight", "static", "dynamic"].contains(order.string)
    else { throw .unknownSetting(key: place + ".actorder", found: describe(order)) }
    switch weights?["strategy"]?.string {
    case "tensor": blocks = .tensor
    case "channel": blocks = .channel
    case "group", "tensor_group":
      guard let size = weights?["group_size"]?.int,
        QuantizationSettings.blockSizes.contains(size)
      else {
        throw .unknownSetting(key: place + ".group_size", found: describe(weights?["group_size"]))
      }
      blocks = .group(size)
    case "block":
      let grid = try QuantizationSettings.grid(
        weights?["block_structure"], key: place + ".block_structure")
      blocks = .grid(rows: grid.rows, columns: grid.columns)
    default:
      throw .unknownSetting(key: place + ".strategy", found: describe(weights?["strategy"]))
    }
    guard let names = group["targets"]?.array else {
      throw .unknownSetting(key: key + ".targets", found: describe(group["targets"]))
    }
    var targets: [Target] = []
    for name in names {
      guard let text = name.string else {
        throw .unknownSetting(key: key + ".targets", found: describe(name))
      }
      targets.append(try Target(text))
    }
    self.targets = targets
  }

  /// The group of a format that says all by itself, where no groups are listed.
  init?(format: String) {
    self.format = format
    switch format {
    case "nvfp4-pack-quantized": blocks = .group(16)
    case "mxfp4-pack-quantized": blocks = .group(32)
    default: return nil
    }
    bits = 4
    isFloat = true
    isSymmetric = true
    isReordered = false
    targets = [.moduleClass]
  }
}
