/// What a verification found.
public enum ContainerFinding: Sendable, Hashable, CustomStringConvertible {
  /// The file contradicts its format or its checksums: it was damaged after it was written.
  case damage(byteOffset: Int, ContainerDamage)
  /// Scales of a tensor are NaN or infinite.
  case nonFiniteScales(tensor: String, count: Int)
  /// Scales of a tensor are zero, and with them all weights of their blocks.
  case zeroScales(tensor: String, count: Int)
  /// Elements or codes of a tensor are NaN or infinite.
  case nonFiniteValues(tensor: String, count: Int)
  /// Elements of a tensor that was not quantized are NaN or infinite, and the file was made to keep
  /// such values of its source.
  case keptNonFiniteValues(tensor: String, count: Int)

  /// Whether the file is not what was written.
  public var isDamage: Bool {
    if case .damage = self { true } else { false }
  }

  /// Whether it only tells what the file was made to hold; a file with notes alone is sound.
  public var isNote: Bool {
    if case .keptNonFiniteValues = self { true } else { false }
  }

  public var description: String {
    switch self {
    case .damage(let byteOffset, let damage): "byte \(byteOffset): \(damage)"
    case .nonFiniteScales(let tensor, let count):
      "tensor \(tensor): \(count) scales are NaN or infinite"
    case .zeroScales(let tensor, let count): "tensor \(tensor): \(count) scales are zero"
    case .nonFiniteValues(let tensor, let count):
      "tensor \(tensor): \(count) values are NaN or infinite"
    case .keptNonFiniteValues(let tensor, let count):
      "tensor \(tensor): \(count) values are NaN or infinite, kept as in the source"
    }
  }
}
