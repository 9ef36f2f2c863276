import Bytes
import Checkpoints
import Quantization
import Tensors

/// The formats of vllm-project/compressed-tensors. Config groups say which module is stored how.
struct CompressedTensorsLayout: SourceLayout {
  let name: String
  private let groups: [CompressedTensorsGroup]
  private let ignored: [CompressedTensorsGroup.Target]

  private static let formats: Set<String> = [
    "pack-quantized", "int-quantized", "float-quantized", "naive-quantized",
    "nvfp4-pack-quantized", "mxfp4-pack-quantized",
  ]

  init(_ settings: QuantizationSettings) throws(SourceWeightsError) {
    let format = settings["format"]?.string
    name = "compressed-tensors \(format ?? "")"
    var groups: [CompressedTensorsGroup] = []
    if let declared = settings["config_groups"]?.object, !declared.isEmpty {
      for (key, group) in declared.sorted(by: { $0.key < $1.key }) {
        groups.append(
          try CompressedTensorsGroup(
            group, key: "config_groups.\(key)", format: format == "mixed-precision" ? nil : format))
      }
    } else if let format, let group = CompressedTensorsGroup(format: format) {
      groups = [group]
    } else if let format, format != "mixed-precision", !Self.formats.contains(format) {
      throw .unsupportedLayout(name: name, tensor: nil)
    } else {
      throw .unknownSetting(key: "config_groups", found: describe(settings["config_groups"]))
    }
    for group in groups where !Self.formats.contains(group.format) && group.format != "dense" {
      throw .unsupportedLayout(name: "compressed-tensors \(group.format)", tensor: nil)
    }
    self.groups = groups
    var ignored: [CompressedTensorsGroup.Target] = []
    for entry in settings["ignore"]?.array ?? [] {
      guard let text = entry.string else {
        throw .unknownSetting(key: "ignore", found: describe(entry))
      }
      ignored.append(try CompressedTensorsGroup.Target(text))
    }
    self.ignored = ignored
  }

  func weight(
    of tensor: TensorRecord, in checkpoint: Checkpoint
  ) throws(SourceWeightsError) -> SourceWeight? {
    switch (tensor.field, tensor.dtype) {
    case ("weight_packed", _):
      let group = try group(of: tensor)
      switch group.format {
      case "pack-quantized": return try integers(tensor, group, checkpoint)
      case "nvfp4-pack-quantized", "mxfp4-pack-quantized":
        return try nibbles(tensor, group, checkpoint)
      default: throw contradiction(tensor, group)
      }
    case ("weight", .f8E4M3), ("weight", .i8):
      let group = try group(of: tensor)
      let isFloat = tensor.dtype == .f8E4M3
      guard
        ["naive-quantized", isFloat ? "float-quantized" : "int-quantized"].contains(group.format),
        group.isFloat == isFloat, group.bits <= 8, !isFloat || group.bits == 8, group.isSymmetric
      else { throw contradiction(tensor, group) }
      let scales = try checkpoint.companion([tensor.name + "_scale"], of: tensor)
      return try .rows(
        of: tensor, name: tensor.name, layoutName: "compressed-tensors \(group.format)",
        shape: tensor.shape, code: isFloat ? .e4m3 : .int8, blocks: group.blocks, scales: scales)
    default: return nil
    }
  }

  /// The group that a module belongs to: by its name before its class.
  private func group(
    of tensor: TensorRecord
  ) throws(SourceWeightsError) -> CompressedTensorsGroup {
    let module = tensor.module
    if ignored.contains(where: { $0.names(module) }) {
      throw .contradiction(tensor: tensor.name, reason: "it is listed under 'ignore'")
    }
    let group =
      groups.first { $0.targets.contains { $0.names(module) } }
      ?? groups.first { $0.targets.contains(where: \.isClass) }
    guard let group else {
      throw .contradiction(tensor: tensor.name, reason: "no config group targets it")
    }
    return group
  }

  private func contradiction(
    _ tensor: TensorRecord, _ group: CompressedTensorsGroup
  ) -> SourceWeightsError {
    .contradiction(
      tensor: tensor.name,
      reason:
        "it is stored as \(tensor.field) of \(tensor.dtype.rawValue), and its config group says "
        + "\(group.format), \(group.bits) bits, \(group.isFloat ? "float" : "int"), "
        + (group.isSymmetric ? "symmetric" : "asymmetric"))
  }

  /// FP4, two to a byte, the low nibble first.
  private func nibbles(
    _ tensor: TensorRecord, _ group: CompressedTensorsGroup, _ checkpoint: Checkpoint
  ) throws(SourceWeightsError) -> SourceWeight {
    guard tensor.dtype == .u8 else {
      throw .wrongDType(tensor: tensor.name, dtype: tensor.dtype, expected: [.u8])
    }
    let isNVFP4 = group.format == "nvfp4-pack-quantized"
    guard group.isFloat, group.bits == 4, group.blocks == .group(isNVFP4 ? 16 : 32) else {
      throw contradiction(tensor, group)
    }
    let shape = try tensor.unpackedShape(codesPerElement: 2)
    let prefix = tensor.modulePrefix
    let scales = try checkpoint.companion([prefix + "weight_scale"], of: tensor)
    // The global scale is what weights were multiplied with: it divides.
    let globalScale =
      isNVFP4
      ? try checkpoint.companion(
        prefix + "weight_global_scale", of: tensor, dtypes: [.f32], shapes: [[], [1]],
        weightShape: shape) : nil
    return try .rows(
      of: tensor, name: prefix + "weight", layoutName: "compressed-tensors \(group.format)",
      shape: shape, code: .e2m1, blocks: group.blocks, scales: scales,
      scaleDTypes: isNVFP4 ? [.f8E4M3] : [.u8, .f8E8M0], globalScale: globalScale,
      dividesByGlobalScale: isNVFP4)
  }

  /// Integers of 2 to 8 bits in words of 32.
  private func integers(
    _ tensor: TensorRecord, _ group: CompressedTensorsGroup, _ checkpoint: Checkpoint
  ) throws(SourceWeightsError) -> SourceWeight {
    guard tensor.dtype == .i32 else {
      throw .wrongDType(tensor: tensor.name, dtype: tensor.dtype, expected: [.i32])
    }
    guard !group.isFloat, 2...8 ~= group.bits else { throw contradiction(tensor, group) }
    guard tensor.shape.rank == 2 else {
      throw .unsupportedShape(tensor: tensor.name, shape: tensor.shape)
    }
    let prefix = tensor.modulePrefix
    let shapeRecord = try checkpoint.companion(
      prefix + "weight_shape", of: tensor, dtypes: [.i64, .i32], shapes: [[2]],
      weightShape: tensor.shape)
    let sizes: [Int]
    do throws(CheckpointsError) {
      sizes = try checkpoint.integers(of: shapeRecord)
    } catch {
      throw .checkpoint(error)
    }
    // What every packed width allows at most.
    guard let shape = Shape(sizes), sizes[0] == tensor.shape.dimensions[0], sizes[1] > 0,
      sizes[1] / 32 <= tensor.shape.columns
    else {
      throw .contradiction(
        tensor: shapeRecord.name, reason: "\(sizes) does not fit a packed tensor of \(tensor.shape)"
      )
    }
    let dense = (shape.columns * group.bits + 31) / 32
    let perWord = 32 / group.bits
    let codesPerWord: Int?
    switch tensor.shape.columns {
    case dense: codesPerWord = nil
    case blockCount(shape.columns, per: perWord): codesPerWord = perWord
    default:
      throw .wrongScaleShape(
        tensor: tensor.name, shape: tensor.shape, expected: [shape.dimensions[0], dense],
        weightShape: shape)
    }
    let groupSize: Int
    switch group.blocks {
    case .group(let size): groupSize = size
    case .channel: groupSize = shape.columns
    default: throw contradiction(tensor, group)
    }
    let groupCount = blockCount(shape.columns, per: groupSize)
    let scaleShape = [shape.dimensions[0], groupCount]
    let scales = try checkpoint.companion(
      prefix + "weight_scale", of: tensor, dtypes: DType.floatScales, shapes: [scaleShape],
      weightShape: shape)
    var integers = PackedIntegers(
      order: .rows, bits: group.bits, codesPerWord: codesPerWord, groupSize: groupSize,
      scales: scales, zeroPoints: nil, isSymmetric: group.isSymmetric)
    if !group.isSymmetric {
      let words = [
        blockCount(shape.dimensions[0], per: perWord), (shape.dimensions[0] * group.bits + 31) / 32,
      ]
      integers.zeroPoints = try checkpoint.companion(
        prefix + "weight_zero_point", of: tensor, dtypes: [.i32],
        shapes: [[codesPerWord == nil ? words[1] : words[0], groupCount]], weightShape: shape)
    }
    if checkpoint[prefix + "weight_g_idx"] != nil {
      integers.groupIndex = try checkpoint.companion(
        prefix + "weight_g_idx", of: tensor, dtypes: [.i32, .i64], shapes: [[shape.columns]],
        weightShape: shape)
      integers.isReordered = true
    } else if group.isReordered {
      throw .missingCompanion(tensor: tensor.name, expected: prefix + "weight_g_idx")
    }
    return .integers(
      integers, of: tensor, name: prefix + "weight",
      layoutName: "compressed-tensors pack-quantized, \(group.bits) bits", shape: shape,
      others: [shapeRecord])
  }
}
