import Glibc

/// How the gate and up projections of an MLP are joined.
public enum GatedActivation: Sendable, Hashable {
  /// g · sigmoid(g) · u: SwiGLU.
  case silu

  /// Joins one gate value with its up value.
  @inline(__always)
  func callAsFunction(gate: Float, up: Float) -> Float {
    switch self {
    case .silu: gate * sigmoid(gate) * up
    }
  }
}

/// 1 / (1 + e^−x)
@inline(__always)
func sigmoid(_ x: Float) -> Float {
  1 / (1 + exp(-x))
}
