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
  /// The index of one of 16 levels in a table. The 32 columns of a chunk lie in 16 bytes: byte i
  /// holds column i in the low nibble and column i + 16 in the high one.
  case lut4 = 6
  /// The index of one of 8 levels in a table. The 32 columns of a chunk lie in 12 bytes: their
  /// lower two bits in eight, the third bits in four.
  case lut3 = 7

  /// The size of one code in bits.
  public var bitsPerCode: Int {
    switch self {
    case .e4m3, .int8: 8
    case .e2m1, .int4, .uint4, .lut4: 4
    case .lut3: 3
    }
  }

  /// The number of bytes of `count` codes; bits that are left over are zero.
  public func byteCount(of count: Int) -> Int {
    guard self == .lut3 else { return (count * bitsPerCode + 7) / 8 }
    let rest = count % 32
    return count / 32 * 12 + (rest + 3) / 4 + (rest + 7) / 8
  }

  /// The number of levels in a table, or nil for a code that needs none.
  public var levelCount: Int? {
    switch self {
    case .lut4: 16
    case .lut3: 8
    case .e4m3, .e2m1, .int8, .int4, .uint4: nil
    }
  }
}

/// How a matrix of weights is stored as codes and scales.
///
/// A weight is `code × scale × globalScale`, or `(code − zeroPoint) × scale` with zero points, or
/// `level × step × scale × globalScale` with tables, where `scale` serves 256 columns of a row. A
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
  /// The number of tables of levels: of two, each group chooses one. 0 for codes that need none.
  public let tableCount: Int

  /// The number of columns that share a Float16 scale where there are tables.
  public static let superBlockColumns = 256

  public init(
    code: CodeFormat, blockRows: Int?, blockColumns: Int?, scale: DType,
    hasZeroPoints: Bool = false, hasGlobalScale: Bool = false, tableCount: Int = 0
  ) {
    self.code = code
    self.blockRows = blockRows
    self.blockColumns = blockColumns
    self.scale = scale
    self.hasZeroPoints = hasZeroPoints
    self.hasGlobalScale = hasGlobalScale
    self.tableCount = tableCount
  }

  /// A format of codes that are indices into tables.
  public init(code: CodeFormat, groupColumns: Int, tableCount: Int) {
    self.init(
      code: code, blockRows: 1, blockColumns: groupColumns, scale: .f16, hasGlobalScale: true,
      tableCount: tableCount)
  }

  /// Whether the parts agree about tables: all formats that need none have none.
  public var hasSoundTables: Bool {
    guard code.levelCount != nil else { return tableCount == 0 }
    return (1...2).contains(tableCount) && (blockColumns == 16 || blockColumns == 32)
      && self
        == QuantizationFormat(
          code: code, groupColumns: blockColumns ?? 0, tableCount: tableCount)
  }

  /// Tiles start at rows that are a multiple of this, so that no block is divided between them.
  public var tileRowMultiple: Int { blockRows ?? 1 }
}
