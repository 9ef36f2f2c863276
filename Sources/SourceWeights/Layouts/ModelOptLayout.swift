import Bytes
import Checkpoints
import Quantization
import Tensors

/// NVFP4 and FP8 of NVIDIA's ModelOpt. Which of them a weight has shows in its dtype; the
/// configuration must agree.
struct ModelOptLayout: SourceLayout {
  private enum Algorithm: String {
    case nvfp4 = "NVFP4"
    case fp8 = "FP8"
    case fp8Channel = "FP8_PER_CHANNEL_PER_TOKEN"
    case fp8Blocks = "FP8_PB_WO"

    var isFP8: Bool { self != .nvfp4 }
  }

  let name: String
  /// The algorithm of all weights; nil where each has its own.
  private let common: Algorithm?
  /// The algorithms of modules, where they differ.
  private let modules: [String: Algorithm]
  private let groupSize: Int

  init(_ settings: QuantizationSettings) throws(SourceWeightsError) {
    guard let algorithm = settings["quant_algo"]?.string else {
      throw .unknownSetting(key: "quant_algo", found: describe(settings["quant_algo"]))
    }
    name = "modelopt \(algorithm)"
    var modules: [String: Algorithm] = [:]
    if algorithm == "MIXED_PRECISION" {
      common = nil
      for (module, entry) in settings["quantized_layers"]?.object ?? [:] {
        let own = entry["quant_algo"]?.string ?? ""
        guard let algorithm = Algorithm(rawValue: own) else {
          throw .unsupportedLayout(name: "quant_method modelopt \(own)", tensor: module)
        }
        modules[module] = algorithm
      }
    } else if let algorithm = Algorithm(rawValue: algorithm) {
      common = algorithm
    } else {
      throw .unsupportedLayout(name: "quant_method modelopt \(algorithm)", tensor: nil)
    }
    self.modules = modules
    let groups = (settings["config_groups"]?.object ?? [:]).values
    let sizes = Set(
      ([settings["group_size"]] + groups.map { $0["weights"]?["group_size"] })
        .compactMap { $0?.int })
    // NVFP4 has groups of 16 by definition; other sizes are other formats.
    guard sizes.isSubset(of: [16]) || common?.isFP8 == true else {
      throw .unknownSetting(key: "group_size", found: "\(sizes.sorted())")
    }
    groupSize = 16
  }

  func weight(
    of tensor: TensorRecord, in checkpoint: Checkpoint
  ) throws(SourceWeightsError) -> SourceWeight? {
    guard tensor.field == "weight", tensor.dtype == .u8 || tensor.dtype == .f8E4M3 else {
      return nil
    }
    if checkpoint[tensor.modulePrefix + "pre_quant_scale"] != nil {
      throw .unsupportedLayout(name: "modelopt AWQ (pre_quant_scale)", tensor: tensor.name)
    }
    let isFP8 = tensor.dtype == .f8E4M3
    let algorithm = common ?? modules[tensor.module]
    guard let algorithm, algorithm.isFP8 == isFP8 else {
      throw .contradiction(
        tensor: tensor.name,
        reason: "it is stored as \(tensor.dtype.rawValue), and quant_algo is "
          + (algorithm?.rawValue ?? "not given for its module"))
    }
    let scales = try checkpoint.companion([tensor.name + "_scale"], of: tensor)
    let layoutName = "ModelOpt \(algorithm.rawValue)"
    if isFP8 {
      let blocks: ScaleBlocks =
        switch algorithm {
        case .fp8Blocks: .grid(rows: 128, columns: 128)
        case .fp8Channel: .channel
        default: .tensor
        }
      return try .rows(
        of: tensor, name: tensor.name, layoutName: layoutName, shape: tensor.shape, code: .e4m3,
        blocks: blocks, scales: scales, scaleDTypes: DType.floatScales)
    }
    let shape = try tensor.unpackedShape(codesPerElement: 2)
    let globalScale = try checkpoint.companion(
      tensor.name + "_scale_2", of: tensor, dtypes: [.f32], shapes: [[1], []], weightShape: shape)
    return try .rows(
      of: tensor, name: tensor.name, layoutName: layoutName, shape: shape, code: .e2m1,
      blocks: .group(groupSize), scales: scales, scaleDTypes: [.f8E4M3], globalScale: globalScale)
  }
}
