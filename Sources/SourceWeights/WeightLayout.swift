public import Checkpoints
public import Tensors

/// How the tensors of a weight spell its values.
public enum WeightLayout: Sendable, Hashable {
  /// Elements that stand for themselves.
  case plain
  /// Rows of codes as the weight's format has them, with scales beside them.
  case rows(RowCodes)
  /// Integers packed into words of 32 bits.
  case integers(PackedIntegers)
  /// Indices into a table of numbers.
  case codebook(Codebook)
  /// Blocks that hold scales and codes of a few neighbours.
  case blocks(BlockFormat)
}

/// Codes that need no rearranging: the tensor's rows are those of the weight.
public struct RowCodes: Sendable, Hashable {
  /// One scale for each block, row after row.
  public var scales: TensorRecord
  /// One Float32 for all weights.
  public var globalScale: TensorRecord?
  /// Whether scales are divided by the global scale rather than multiplied.
  public var dividesByGlobalScale = false
}

/// Integers of a few bits, each less its zero point times the scale of its group.
public struct PackedIntegers: Sendable, Hashable {
  /// Which way the words run.
  public enum Order: Sendable, Hashable {
    /// Along the inputs of an output: compressed-tensors. Zero points run along the outputs.
    case rows
    /// Along the inputs, one column for each output: GPTQ. Zero points run along the outputs.
    case inputs
    /// Along the outputs, interleaved, one row for each input: AWQ.
    case interleavedOutputs
  }

  public var order: Order
  public var bits: Int
  /// How many codes a word holds; nil for a stream of bits without gaps.
  public var codesPerWord: Int?
  /// The number of neighbouring inputs that share a scale.
  public var groupSize: Int
  public var scales: TensorRecord
  /// Nil where every zero point is half the range of codes.
  public var zeroPoints: TensorRecord?
  /// Whether the zero points that are stored must say that too.
  public var isSymmetric: Bool
  /// Whether words of zero points are stored less one in each field (GPTQ's first version).
  public var storesZeroPointsLessOne = false
  /// The group of each input.
  public var groupIndex: TensorRecord?
  /// Whether groups may be other than neighbours.
  public var isReordered = false

  /// The zero point where none is stored.
  var middle: UInt8 { UInt8(1) << UInt8(bits - 1) }
}

/// Two indices to a byte, the high nibble first, over all elements in a row (bitsandbytes).
public struct Codebook: Sendable, Hashable {
  /// The 16 numbers that indices stand for.
  public var table: TensorRecord
  /// The scale of each block, or its code.
  public var scales: TensorRecord
  /// The number of elements that share a scale.
  public var blockSize: Int
  /// What decodes the scales, where they are codes themselves.
  public var nested: Nested?

  public struct Nested: Sendable, Hashable {
    /// The 256 numbers that codes of scales stand for.
    public var table: TensorRecord
    /// The scale of each block of scales.
    public var scales: TensorRecord
    public var blockSize: Int
    /// Is added to every decoded scale.
    public var offset: Float
  }
}
