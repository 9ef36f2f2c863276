public import Bytes
public import Checkpoints
import SystemPackage
public import Tensors

/// Why the weights of a checkpoint cannot be made sense of. No quantized tensor is ever taken
/// without its scale, and no code is ever cast.
public enum SourceWeightsError: KelterError {
  /// A tensor could not be read.
  case checkpoint(CheckpointsError)
  /// A key of `quantization_config` is missing or does not have a value that is known.
  case unknownSetting(key: String, found: String)
  /// A way of packing weights that is not read.
  case unsupportedLayout(name: String, tensor: String?)
  /// An element type that no layout gives a meaning to.
  case unsupportedDType(tensor: String, dtype: DType)
  /// A quantized tensor of a shape for which the layout defines no blocks.
  case unsupportedShape(tensor: String, shape: Shape)
  /// A quantized tensor in a checkpoint whose configuration declares none.
  case undeclaredQuantization(tensor: String, dtype: DType)
  /// A configuration that declares quantization, and no quantized tensor.
  case nothingQuantized(method: String)
  /// A pattern on names that is not understood.
  case unknownPattern(String)
  /// A tensor that is not stored as the configuration says.
  case contradiction(tensor: String, reason: String)
  /// A tensor whose values make no sense.
  case invalidCompanion(tensor: String, reason: String)
  case missingCompanion(tensor: String, expected: String)
  /// Two tensors for the weight of one name.
  case ambiguous(tensor: String, other: String)
  case companionWithoutWeight(tensor: String)
  case scaleOfPlainWeight(tensor: String, weight: String, dtype: DType)
  case wrongDType(tensor: String, dtype: DType, expected: [DType])
  case wrongScaleShape(tensor: String, shape: Shape, expected: [Int], weightShape: Shape)
  /// A scale that is NaN, infinite, zero or negative.
  case invalidScale(tensor: String, index: Int, value: Float)
  /// Values were asked for as Float32 that are no plain floating-point numbers.
  case notNumbers(tensor: String, dtype: DType)
  case rowsOutside(tensor: String, rows: Range<Int>, count: Int)

  public var kind: FailureKind {
    if case .checkpoint(let error) = self { error.kind } else { .invalidInput }
  }

  public var description: String {
    switch self {
    case .checkpoint(let error): error.description
    case .unknownSetting(let key, let found):
      "config.json: quantization_config.\(key) is \(found), which is not supported"
    case .unsupportedLayout(let name, let tensor):
      (tensor.map { "tensor \($0): " } ?? "config.json: ") + "\(name) is not supported yet"
    case .unsupportedDType(let tensor, let dtype):
      "tensor \(tensor): weights of dtype \(dtype.rawValue) are not supported"
    case .unsupportedShape(let tensor, let shape):
      "tensor \(tensor): its shape \(shape) does not divide into the blocks of its scales"
    case .undeclaredQuantization(let tensor, let dtype):
      "tensor \(tensor): its dtype is \(dtype.rawValue), and config.json has no "
        + "quantization_config that tells its scales; take config.json from the release"
    case .nothingQuantized(let method):
      "config.json: quantization_config declares \(method), and no tensor is stored so; remove it "
        + "if the weights were dequantized"
    case .unknownPattern(let pattern):
      "config.json: quantization_config: the pattern '\(pattern)' is not understood"
    case .contradiction(let tensor, let reason):
      "tensor \(tensor): it contradicts quantization_config: \(reason)"
    case .invalidCompanion(let tensor, let reason):
      "tensor \(tensor): \(reason)"
    case .missingCompanion(let tensor, let expected):
      "tensor \(tensor): \(expected) is missing, which decodes it; fetch the shard that holds it"
    case .ambiguous(let tensor, let other):
      "tensor \(tensor): it holds the same weight as \(other)"
    case .companionWithoutWeight(let tensor):
      "tensor \(tensor): the weight that it belongs to is missing"
    case .scaleOfPlainWeight(let tensor, let weight, let dtype):
      "tensor \(tensor): it scales \(weight), whose dtype \(dtype.rawValue) takes no scale"
    case .wrongDType(let tensor, let dtype, let expected):
      "tensor \(tensor): its dtype is \(dtype.rawValue), where "
        + expected.map(\.rawValue).joined(separator: ", ") + " is known"
    case .wrongScaleShape(let tensor, let shape, let expected, let weightShape):
      "tensor \(tensor): its shape is \(shape), where \(expected) belongs to a weight of "
        + "\(weightShape) by config.json"
    case .invalidScale(let tensor, let index, let value):
      "tensor \(tensor): scale \(index) is \(value); it must be finite and above zero"
    case .notNumbers(let tensor, let dtype):
      "tensor \(tensor): its dtype is \(dtype.rawValue), where F32, BF16, F16 or F64 is wanted"
    case .rowsOutside(let tensor, let rows, let count):
      "tensor \(tensor): rows \(rows) are not inside its \(count) rows"
    }
  }
}
