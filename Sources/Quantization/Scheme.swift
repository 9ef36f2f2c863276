import Tensors

/// What to do with a weight: a quantization format by name, or a way to leave it as it is.
public enum Scheme: String, Sendable, Hashable, CaseIterable {
  /// E4M3 with a Float32 scale per 128×128 block, as DeepSeek-V3 is released.
  case fp8E4M3Block128 = "fp8-e4m3-b128"
  /// E4M3 with a Float32 scale per output channel (row).
  case fp8E4M3Channel = "fp8-e4m3-channel"
  /// E4M3 with one Float32 scale.
  case fp8E4M3Tensor = "fp8-e4m3-tensor"
  /// Signed bytes with a Float32 scale per output channel (row).
  case int8Channel = "int8-channel"
  /// Signed nibbles with a BFloat16 scale, which may be negative, per 32 weights of a row.
  case int4G32 = "int4-g32"
  case int4G64 = "int4-g64"
  case int4G128 = "int4-g128"
  /// Unsigned nibbles with a BFloat16 scale and a 4-bit zero point per 32 weights of a row.
  case int4AsymmetricG32 = "int4-asym-g32"
  case int4AsymmetricG64 = "int4-asym-g64"
  case int4AsymmetricG128 = "int4-asym-g128"
  /// E2M1 with an E8M0 scale per 32 weights. OCP Microscaling Formats 1.0.
  case mxfp4
  /// E4M3 with an E8M0 scale per 32 weights. OCP Microscaling Formats 1.0.
  case mxfp8
  /// E2M1 with an E4M3 scale per 16 weights and one Float32 scale.
  case nvfp4
  /// Indices of 4 bits into a table of 16 levels learned for the tensor, a 6-bit step per 32
  /// weights, a Float16 scale per 256.
  case lut4G32 = "lut4-g32"
  /// The same with two tables, of which each 32 weights choose one.
  case lut4G32K2 = "lut4-g32-k2"
  /// As `lut4G32` and `lut4G32K2` with a step, and a choice, per 16 weights.
  case lut4G16 = "lut4-g16"
  case lut4G16K2 = "lut4-g16-k2"
  /// Indices of 3 bits into a table of 8 levels.
  case lut3G16 = "lut3-g16"
  case lut3G16K2 = "lut3-g16-k2"
  /// BFloat16, rounded to nearest even.
  case bf16
  /// The source's own bytes.
  case keep

  /// The format of the codes, or nil where the weight stays a plain tensor or keeps its bytes.
  public var format: QuantizationFormat? {
    switch self {
    case .fp8E4M3Block128: .init(code: .e4m3, blockRows: 128, blockColumns: 128, scale: .f32)
    case .fp8E4M3Channel: .init(code: .e4m3, blockRows: 1, blockColumns: nil, scale: .f32)
    case .fp8E4M3Tensor: .init(code: .e4m3, blockRows: nil, blockColumns: nil, scale: .f32)
    case .int8Channel: .init(code: .int8, blockRows: 1, blockColumns: nil, scale: .f32)
    case .int4G32: .init(code: .int4, blockRows: 1, blockColumns: 32, scale: .bf16)
    case .int4G64: .init(code: .int4, blockRows: 1, blockColumns: 64, scale: .bf16)
    case .int4G128: .init(code: .int4, blockRows: 1, blockColumns: 128, scale: .bf16)
    case .int4AsymmetricG32:
      .init(code: .uint4, blockRows: 1, blockColumns: 32, scale: .bf16, hasZeroPoints: true)
    case .int4AsymmetricG64:
      .init(code: .uint4, blockRows: 1, blockColumns: 64, scale: .bf16, hasZeroPoints: true)
    case .int4AsymmetricG128:
      .init(code: .uint4, blockRows: 1, blockColumns: 128, scale: .bf16, hasZeroPoints: true)
    case .mxfp4: .init(code: .e2m1, blockRows: 1, blockColumns: 32, scale: .f8E8M0)
    case .mxfp8: .init(code: .e4m3, blockRows: 1, blockColumns: 32, scale: .f8E8M0)
    case .nvfp4:
      .init(code: .e2m1, blockRows: 1, blockColumns: 16, scale: .f8E4M3, hasGlobalScale: true)
    case .lut4G32: .init(code: .lut4, groupColumns: 32, tableCount: 1)
    case .lut4G32K2: .init(code: .lut4, groupColumns: 32, tableCount: 2)
    case .lut4G16: .init(code: .lut4, groupColumns: 16, tableCount: 1)
    case .lut4G16K2: .init(code: .lut4, groupColumns: 16, tableCount: 2)
    case .lut3G16: .init(code: .lut3, groupColumns: 16, tableCount: 1)
    case .lut3G16K2: .init(code: .lut3, groupColumns: 16, tableCount: 2)
    case .bf16, .keep: nil
    }
  }
}

/// How hard to look for the scales.
public enum ScaleSearch: String, Sendable, Hashable, CaseIterable {
  /// The scale that just holds the largest magnitude.
  case absmax
  /// A few candidates around it.
  case fast
  /// All candidates that can matter, and a least-squares refit.
  case full
}
