public import Checkpoints
public import Quantization
public import Tensors

/// How the source stores a weight.
public enum SourceEncoding: Sendable, Hashable {
  /// Elements that stand for themselves.
  case plain(DType)
  /// Codes with scales beside them.
  case quantized(QuantizationFormat)
}

/// One logical weight of a source: the tensor that holds its values and the companions that
/// decode it.
public struct SourceWeight: Sendable, Hashable {
  /// What the weight looks like once decoded.
  public let shape: Shape
  public let encoding: SourceEncoding
  /// The values, or their codes.
  public let primary: TensorRecord
  /// The scales; none for a plain weight.
  public let companions: [TensorRecord]

  /// The name of the primary tensor.
  public var name: String { primary.name }
  /// The product of all dimensions but the last.
  public var rows: Int { shape.rows }
  /// The last dimension, along which elements are contiguous.
  public var columns: Int { shape.columns }
  /// The bytes that the source spends on it, companions included.
  public var byteCount: Int { companions.reduce(primary.byteCount) { $0 + $1.byteCount } }
}
