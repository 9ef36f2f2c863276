public import Tensors

/// The type of a code, the small number that stands for a weight.
public enum CodeFormat: UInt8, Sendable, Hashable, CaseIterable {
  /// E4M3FN, one to a byte.
  case e4m3 = 1
  /// E2M1, two to a byte, the low nibble first.
  case e2m1 = 2
  /// A signed byte, −128…127.
  case int8 = 3
  /// A signed nibble, −8…7, stored plus 8; two to a byte, the low nibble first.
  case int4 = 4
  /// An unsigned nibble, 0…15, that has a zero point; two to a byte, the low nibble first.
  case uint4 = 5

  /// The size of one code in bits.
  public var bitsPerCode: Int {
    switch self {
    case .e4m3, .int8: 8
    case .e2m1, .int4, .uint4: 4
    }
  }

  /// The number of bytes of `count` codes; a last half byte is filled with zero bits.
  public func byteCount(of count: Int) -> Int { (count * bitsPerCode + 7) / 8 }
}

/// How a matrix of weights is stored as codes and scales.
///
/// A weight is `code × scale × globalScale`, or `(code − zeroPoint) × scale` with zero points. A
/// scale serves a block of `blockRows × blockColumns` weights; blocks at the right and lower edges
/// may be partial. formats/quantization.md is the contract.
public struct QuantizationFormat: Sendable, Hashable {
  /// The type of the codes.
  public let code: CodeFormat
  /// The number of rows that share a scale, or nil for all.
  public let blockRows: Int?
  /// The number of columns that share a scale (the group size), or nil for all.
  public let blockColumns: Int?
  /// The type of the scales: F32, BF16, F16, F8_E8M0 or F8_E4M3.
  public let scale: DType
  /// Whether every scale has a zero point of 4 bits, two to a byte, the low nibble first.
  public let hasZeroPoints: Bool
  /// Whether one more Float32 scale multiplies all weights.
  public let hasGlobalScale: Bool

  public init(
    code: CodeFormat, blockRows: Int?, blockColumns: Int?, scale: DType,
    hasZeroPoints: Bool = false, hasGlobalScale: Bool = false
  ) {
    self.code = code
    self.blockRows = blockRows
    self.blockColumns = blockColumns
    self.scale = scale
    self.hasZeroPoints = hasZeroPoints
    self.hasGlobalScale = hasGlobalScale
  }

  /// Tiles start at rows that are a multiple of this, so that no block is divided between them.
  public var tileRowMultiple: Int { blockRows ?? 1 }
}
