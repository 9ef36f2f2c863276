import Container
import Tensors

/// The dtype of exported weights.
public enum ExportFormat: String, Sendable, CaseIterable {
  /// Every number exactly.
  case f32
  /// Rounded to nearest even; routers and their biases keep their dtype.
  case bf16

  /// The name in a config's `torch_dtype`.
  var torchName: String {
    switch self {
    case .f32: "float32"
    case .bf16: "bfloat16"
    }
  }

  /// The dtype that a tensor of a container is exported as.
  func dtype(of tensor: ContainedTensor) -> DType {
    guard case .plain(let dtype) = tensor.encoding else { return self == .f32 ? .f32 : .bf16 }
    // Whole numbers and the like stay as they are.
    guard dtype.isPlainFloat else { return dtype }
    switch self {
    case .f32: return .f32
    case .bf16: return tensor.role.hasPrefix("router") ? dtype : .bf16
    }
  }
}
