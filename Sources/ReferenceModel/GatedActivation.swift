import Glibc

/// How the gate and up projections of an MLP are joined.
public enum GatedActivation: Sendable, Hashable {
  /// g · sigmoid(g) · u: SwiGLU.
  case silu
  /// The same of min(g, limit) and u clamped to ±limit: DeepSeek-V4.
  case clampedSilu(limit: Float)
  /// g · sigmoid(sharpness · g) · (u + 1) of min(g, limit) and u clamped to ±limit: gpt-oss.
  case clampedSwish(sharpness: Float, limit: Float)

  /// Joins one gate value with its up value.
  @inline(__always)
  func callAsFunction(gate: Float, up: Float) -> Float {
    switch self {
    case .silu:
      return gate * sigmoid(gate) * up
    case .clampedSilu(let limit):
      let gate = min(gate, limit)
      return gate * sigmoid(gate) * max(-limit, min(up, limit))
    case .clampedSwish(let sharpness, let limit):
      let gate = min(gate, limit)
      return gate * sigmoid(sharpness * gate) * (max(-limit, min(up, limit)) + 1)
    }
  }
}

/// 1 / (1 + e^−x)
@inline(__always)
func sigmoid(_ x: Float) -> Float {
  1 / (1 + exp(-x))
}
