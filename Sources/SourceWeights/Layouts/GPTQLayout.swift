import Bytes
import Checkpoints
import Tensors

/// GPTQ: `qweight` packs the inputs of each output, `g_idx` names the group of each input. The
/// first version of the format stores zero points less one.
struct GPTQLayout: SourceLayout {
  /// What holds for a module.
  private struct Parameters: Sendable {
    var bits: Int
    var groupSize: Int?
    var isSymmetric: Bool
    var isReordered: Bool
  }

  let name = "gptq"
  private let common: Parameters
  private let storesZeroPointsLessOne: Bool
  /// Patterns on modules: nil leaves them as they are.
  private let exceptions: [(pattern: NamePattern, parameters: Parameters?)]

  init(_ settings: QuantizationSettings) throws(SourceWeightsError) {
    switch settings["checkpoint_format"]?.string ?? "gptq" {
    case "gptq": storesZeroPointsLessOne = true
    case "gptq_v2": storesZeroPointsLessOne = false
    case let format:
      throw .unsupportedLayout(name: "gptq, checkpoint_format \(format)", tensor: nil)
    }
    guard settings["bits"]?.int != nil else {
      throw .unknownSetting(key: "bits", found: describe(settings["bits"]))
    }
    let base = Parameters(bits: 4, groupSize: nil, isSymmetric: true, isReordered: false)
    let common = try Self.parameters(settings.object, key: "", over: base)
    self.common = common
    var exceptions: [(NamePattern, Parameters?)] = []
    for (key, value) in (settings["dynamic"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
      let isExclusion = key.hasPrefix("-:")
      let text = isExclusion || key.hasPrefix("+:") ? String(key.dropFirst(2)) : key
      guard let pattern = NamePattern(text) else { throw .unknownPattern(key) }
      exceptions.append(
        (
          pattern,
          isExclusion ? nil : try Self.parameters(value, key: "dynamic.\(key).", over: common)
        ))
    }
    self.exceptions = exceptions
  }

  private static func parameters(
    _ object: JSONValue, key: String, over base: Parameters
  ) throws(SourceWeightsError) -> Parameters {
    var parameters = base
    if let value = object["bits"] {
      guard let bits = value.int, [2, 3, 4, 8].contains(bits) else {
        throw .unknownSetting(key: key + "bits", found: describe(value))
      }
      parameters.bits = bits
    }
    if let value = object["group_size"] {
      guard let size = value.int, size == -1 || QuantizationSettings.blockSizes.contains(size)
      else { throw .unknownSetting(key: key + "group_size", found: describe(value)) }
      parameters.groupSize = size == -1 ? nil : size
    }
    if let value = object["sym"] {
      guard let isSymmetric = value.bool else {
        throw .unknownSetting(key: key + "sym", found: describe(value))
      }
      parameters.isSymmetric = isSymmetric
    }
    if let value = object["desc_act"] {
      guard let isReordered = value.bool else {
        throw .unknownSetting(key: key + "desc_act", found: describe(value))
      }
      parameters.isReordered = isReordered
    }
    return parameters
  }

  func weight(
    of tensor: TensorRecord, in checkpoint: Checkpoint
  ) throws(SourceWeightsError) -> SourceWeight? {
    guard tensor.field == "qweight" else { return nil }
    guard tensor.dtype == .i32 else {
      throw .wrongDType(tensor: tensor.name, dtype: tensor.dtype, expected: [.i32])
    }
    let prefix = tensor.modulePrefix
    let module = tensor.module
    var parameters = common
    if let exception = exceptions.first(where: { $0.pattern.matches(module) }) {
      guard let own = exception.parameters else {
        throw .contradiction(
          tensor: tensor.name, reason: "'dynamic' leaves out \(exception.pattern.text)")
      }
      parameters = own
    }
    let bits = parameters.bits
    guard tensor.shape.rank == 2, tensor.shape.rows % (bits == 3 ? 3 : 1) == 0,
      tensor.shape.rows <= Int.max / 32, tensor.shape.elementCount > 0,
      let shape = Shape([tensor.shape.columns, tensor.shape.rows * 32 / bits])
    else { throw .unsupportedShape(tensor: tensor.name, shape: tensor.shape) }
    let groupSize = parameters.groupSize ?? shape.columns
    let groupCount = blockCount(shape.columns, per: groupSize)
    var integers = PackedIntegers(
      order: .inputs, bits: bits, codesPerWord: nil, groupSize: groupSize,
      scales: try checkpoint.companion(
        prefix + "scales", of: tensor, dtypes: DType.floatScales,
        shapes: [[groupCount, shape.dimensions[0]]], weightShape: shape),
      zeroPoints: try checkpoint.companion(
        prefix + "qzeros", of: tensor, dtypes: [.i32],
        shapes: [[groupCount, (shape.dimensions[0] * bits + 31) / 32]], weightShape: shape),
      isSymmetric: parameters.isSymmetric, storesZeroPointsLessOne: storesZeroPointsLessOne,
      isReordered: parameters.isReordered)
    if parameters.isReordered || checkpoint[prefix + "g_idx"] != nil {
      integers.groupIndex = try checkpoint.companion(
        prefix + "g_idx", of: tensor, dtypes: [.i32, .i64], shapes: [[shape.columns]],
        weightShape: shape)
    }
    return .integers(
      integers, of: tensor, name: prefix + "weight", layoutName: "GPTQ, \(bits) bits", shape: shape)
  }
}
