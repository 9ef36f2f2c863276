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
  case missingScale(tensor: String, expected: String)
  case scaleWithoutWeight(tensor: String)
  case scaleOfPlainWeight(tensor: String, weight: String, dtype: DType)
  case wrongScaleDType(tensor: String, dtype: DType)
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
    case .missingScale(let tensor, let expected):
      "tensor \(tensor): its scale \(expected) is missing; fetch the shard that holds it"
    case .scaleWithoutWeight(let tensor):
      "tensor \(tensor): the weight that this scale belongs to is missing"
    case .scaleOfPlainWeight(let tensor, let weight, let dtype):
      "tensor \(tensor): it scales \(weight), whose dtype \(dtype.rawValue) takes no scale"
    case .wrongScaleDType(let tensor, let dtype):
      "tensor \(tensor): a scale of dtype \(dtype.rawValue); known are F32, BF16, F16, F8_E8M0 and U8"
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
