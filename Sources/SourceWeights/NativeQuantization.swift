import Bytes
import Quantization
import Tensors

/// How a release says, in `quantization_config`, that its weights are stored.
struct NativeQuantization {
  /// The part of a weight that shares a scale.
  enum Blocks: Equatable {
    case tensor
    case channel
    case grid(rows: Int, columns: Int)
  }

  /// What the release calls it, for errors.
  let name: String
  let blocks: Blocks
  /// The endings that turn the name of a weight into that of its scale.
  let scaleSuffixes: [String]

  /// Nil if the configuration declares nothing.
  init?(config: JSONValue?) throws(SourceWeightsError) {
    guard let settings = Self.settings(config) else { return nil }
    let method = settings["quant_method"]?.string
    switch method {
    case "fp8":
      name = "fp8"
      scaleSuffixes = ["_scale_inv"]
      blocks = try Self.fp8Blocks(settings)
    case "compressed-tensors":
      let format = settings["format"]?.string
      guard format == "float-quantized" else {
        throw .unsupportedLayout(name: "compressed-tensors \(format ?? "")", tensor: nil)
      }
      name = "compressed-tensors float-quantized"
      scaleSuffixes = ["_scale"]
      blocks = try Self.compressedTensorsBlocks(settings)
    case let method?:
      let algorithm = settings["quant_algo"]?.string.map { " \($0)" } ?? ""
      throw .unsupportedLayout(name: "quant_method \(method)\(algorithm)", tensor: nil)
    case nil:
      throw .unknownSetting(key: "quant_method", found: describe(settings["quant_method"]))
    }
  }

  /// `quantization_config`, in `text_config` or at the top level.
  private static func settings(_ config: JSONValue?) -> JSONValue? {
    let places = [config?["text_config"]?["quantization_config"], config?["quantization_config"]]
    return places.compactMap { $0 }.first { !$0.isNull }
  }

  /// The grid comes from the configuration, never from the
  /// shapes, which do not tell it where the last blocks are partial.
  private static func fp8Blocks(_ settings: JSONValue) throws(SourceWeightsError) -> Blocks {
    if let format = settings["fmt"], !format.isNull,
      !["e4m3", "float8_e4m3fn"].contains(format.string)
    {
      throw .unknownSetting(key: "fmt", found: describe(format))
    }
    if settings["weight_block_size"] == .null { return .tensor }
    return try grid(settings["weight_block_size"], key: "weight_block_size")
  }

  private static func grid(
    _ value: JSONValue?, key: String
  ) throws(SourceWeightsError) -> Blocks {
    guard let sizes = value?.array, sizes.count == 2, let rows = sizes[0].int,
      let columns = sizes[1].int, rows > 0, columns > 0
    else { throw .unknownSetting(key: key, found: describe(value)) }
    return .grid(rows: rows, columns: columns)
  }

  /// The blocks of the config groups, which must agree: all of 8-bit floats, symmetric.
  private static func compressedTensorsBlocks(
    _ settings: JSONValue
  ) throws(SourceWeightsError) -> Blocks {
    guard let groups = settings["config_groups"]?.object, !groups.isEmpty else {
      throw .unknownSetting(key: "config_groups", found: describe(settings["config_groups"]))
    }
    var common: Blocks?
    for (name, group) in groups.sorted(by: { $0.key < $1.key }) {
      let weights = group["weights"]
      let key = "config_groups.\(name).weights"
      guard weights?["type"]?.string == "float", weights?["num_bits"]?.int == 8,
        weights?["symmetric"]?.bool != false
      else { throw .unknownSetting(key: key, found: "no symmetric 8-bit float") }
      let blocks: Blocks
      switch weights?["strategy"]?.string {
      case "tensor": blocks = .tensor
      case "channel": blocks = .channel
      case "block":
        blocks = try grid(weights?["block_structure"], key: key + ".block_structure")
      default:
        throw .unknownSetting(key: key + ".strategy", found: describe(weights?["strategy"]))
      }
      if let common, common != blocks {
        throw .unsupportedLayout(
          name: "compressed-tensors float-quantized with several strategies", tensor: nil)
      }
      common = blocks
    }
    return common ?? .tensor
  }

  /// The format of a weight of this shape, and the shapes that its scale may have.
  func format(
    of shape: Shape, scale: DType
  ) -> (format: QuantizationFormat, scaleShapes: [[Int]])? {
    guard shape.rank >= 2 else { return nil }
    let leading = Array(shape.dimensions.dropLast(2))
    let (rows, columns) = (shape.dimensions[shape.rank - 2], shape.columns)
    switch blocks {
    case .tensor:
      return (
        .init(code: .e4m3, blockRows: nil, blockColumns: nil, scale: scale), [[], [1]]
      )
    case .channel:
      return (
        .init(code: .e4m3, blockRows: 1, blockColumns: nil, scale: scale),
        [leading + [rows, 1]]
      )
    case .grid(let blockRows, let blockColumns):
      // Stacked matrices are read as one: each must end where a block ends.
      guard leading.isEmpty || rows % blockRows == 0 else { return nil }
      let grid = [
        rows / blockRows + (rows % blockRows == 0 ? 0 : 1),
        columns / blockColumns + (columns % blockColumns == 0 ? 0 : 1),
      ]
      return (
        .init(code: .e4m3, blockRows: blockRows, blockColumns: blockColumns, scale: scale),
        [leading + grid]
      )
    }
  }
}

/// A JSON value as an error shows it.
private func describe(_ value: JSONValue?) -> String {
  switch value {
  case nil: "missing"
  case .null: "null"
  case .bool(let value): "\(value)"
  case .integer(let value): "\(value)"
  case .unsigned(let value): "\(value)"
  case .number(let value): "\(value)"
  case .string(let value): "\"\(value)\""
  case .array(let values): "[" + values.prefix(4).map { describe($0) }.joined(separator: ", ") + "]"
  case .object: "an object"
  }
}
