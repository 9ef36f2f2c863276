import Bytes
import Checkpoints
import Tensors

/// A way in which releases store quantized weights.
protocol SourceLayout: Sendable {
  /// What the release calls it, for errors.
  var name: String { get }

  /// The weight whose values a tensor holds; nil if it is not for this layout to say.
  ///
  /// Companions are checked to be there, of the right shape and dtype, and as the configuration
  /// says.
  func weight(
    of tensor: TensorRecord, in checkpoint: Checkpoint
  ) throws(SourceWeightsError) -> SourceWeight?
}

extension QuantizationSettings {
  /// The layout that the release declares.
  func layout() throws(SourceWeightsError) -> any SourceLayout {
    switch method {
    case "fp8": return try FP8Layout(self)
    case "compressed-tensors": return try CompressedTensorsLayout(self)
    case "mxfp4": return MXFP4Layout()
    case "modelopt": return try ModelOptLayout(self)
    case "gptq": return try GPTQLayout(self)
    case "awq": return try AWQLayout(self)
    case "bitsandbytes": return try BitsAndBytesLayout(self)
    default:
      let algorithm = object["quant_algo"]?.string.map { " \($0)" } ?? ""
      throw .unsupportedLayout(name: "quant_method \(method)\(algorithm)", tensor: nil)
    }
  }
}

extension Checkpoint {
  /// The first companion of these names that is there.
  func companion(
    _ names: [String], of tensor: TensorRecord
  ) throws(SourceWeightsError) -> TensorRecord {
    guard let companion = names.lazy.compactMap({ self[$0] }).first else {
      throw .missingCompanion(tensor: tensor.name, expected: names.joined(separator: " or "))
    }
    return companion
  }

  /// A companion of this name, dtype and one of these shapes.
  func companion(
    _ name: String, of tensor: TensorRecord, dtypes: [DType], shapes: [[Int]], weightShape: Shape
  ) throws(SourceWeightsError) -> TensorRecord {
    let companion = try companion([name], of: tensor)
    try companion.check(dtypes: dtypes, shapes: shapes, weightShape: weightShape)
    return companion
  }
}

extension TensorRecord {
  /// The name up to the last dot and with it: `a.b.` of `a.b.weight`; empty without a dot.
  var modulePrefix: String {
    name.lastIndex(of: ".").map { String(name[...$0]) } ?? ""
  }

  /// The name of the module: `a.b` of `a.b.weight`.
  var module: String { String(modulePrefix.dropLast()) }

  /// The name after the last dot.
  var field: String { String(name.dropFirst(modulePrefix.count)) }

  func check(
    dtypes: [DType], shapes: [[Int]], weightShape: Shape
  ) throws(SourceWeightsError) {
    guard dtypes.contains(dtype) else {
      throw .wrongDType(tensor: name, dtype: dtype, expected: dtypes)
    }
    guard shapes.contains(shape.dimensions) else {
      throw .wrongScaleShape(
        tensor: name, shape: shape, expected: shapes.last ?? [], weightShape: weightShape)
    }
  }
}

extension DType {
  /// The types that scales come in. U8 holds the bytes of E8M0, where a tool lacked that type.
  static let scales: [DType] = [.f32, .bf16, .f16, .f8E8M0, .u8]
  static let floatScales: [DType] = [.f32, .bf16, .f16]

  /// The type of scales by the meaning of their bytes.
  var scaleMeaning: DType { self == .u8 ? .f8E8M0 : self }
}

/// The number of blocks that `count` elements make; a last one may be partial.
func blockCount(_ count: Int, per blockSize: Int) -> Int {
  count / blockSize + (count % blockSize == 0 ? 0 : 1)
}
