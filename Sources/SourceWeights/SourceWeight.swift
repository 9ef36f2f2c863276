public import Checkpoints
public import Quantization
public import Tensors

/// How a weight can be held without losing anything.
public enum SourceEncoding: Sendable, Hashable {
  /// Elements that stand for themselves.
  case plain(DType)
  /// Codes with scales beside them.
  case quantized(QuantizationFormat)
}

/// One logical weight of a source: the tensor that holds its values and the companions that
/// decode it.
public struct SourceWeight: Sendable, Hashable {
  /// The name that a plain weight would have: `X.weight`, also where the values are in
  /// `X.weight_packed` or `X.qweight`.
  public let name: String
  /// What the weight looks like once decoded.
  public let shape: Shape
  /// How the weight can be held without loss: the bytes that a `WeightReader` hands out. Codes that
  /// no format can hold are decoded to `plain(.f32)`.
  public let encoding: SourceEncoding
  /// How the source stores it.
  public let layout: WeightLayout
  /// What people call that: `GPTQ, 4 bits`; nil where the encoding says all.
  public let layoutName: String?
  /// The values, or their codes.
  public let primary: TensorRecord
  /// Scales, zero points and whatever else decodes it; none for a plain weight.
  public let companions: [TensorRecord]

  /// Whether the source stores codes.
  public var isQuantized: Bool { layout != .plain }
  /// Whether codes are decoded because no format can hold them.
  public var isDecoded: Bool {
    if case .plain = encoding { isQuantized } else { false }
  }
  /// The product of all dimensions but the last.
  public var rows: Int { shape.rows }
  /// The last dimension, along which elements are contiguous.
  public var columns: Int { shape.columns }
  /// The bytes that the source spends on it, companions included.
  public var byteCount: Int { companions.reduce(primary.byteCount) { $0 + $1.byteCount } }

  /// The most that a reader holds besides the rows it reads, in bytes.
  public var heldByteCount: Int {
    // Scales and zero points as they are stored, and decoded to one Float32 each at most.
    let companions = 5 * companions.reduce(0) { $0 + $1.byteCount }
    return switch layout {
    case .plain, .rows: companions
    case .integers(let integers):
      companions + (integers.order == .rows ? 0 : primary.byteCount)
    case .codebook: companions + primary.byteCount
    // Scales, and a piece of the tensor to find them in.
    case .blocks(let format):
      format.held == nil ? 0 : primary.byteCount / 8 + WeightReader.scalePieceByteCount
    }
  }
}
