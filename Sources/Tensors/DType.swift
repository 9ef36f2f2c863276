/// The type of a tensor's elements, named as safetensors names it.
///
/// Source: the `Dtype` of huggingface/safetensors.
public enum DType: String, Sendable, Hashable, CaseIterable, Codable {
  case bool = "BOOL"
  /// E2M1, two elements to a byte. OCP Microscaling Formats 1.0.
  case f4 = "F4"
  /// E2M3, 6 bits. OCP Microscaling Formats 1.0.
  case f6E2M3 = "F6_E2M3"
  /// E3M2, 6 bits. OCP Microscaling Formats 1.0.
  case f6E3M2 = "F6_E3M2"
  case u8 = "U8"
  case i8 = "I8"
  /// E5M2 with infinities. OCP 8-bit floating point 1.0.
  case f8E5M2 = "F8_E5M2"
  /// E4M3FN: finite, maximum 448, NaN at 0x7F and 0xFF. OCP 8-bit floating point 1.0.
  case f8E4M3 = "F8_E4M3"
  /// A power of two, 2^(byte − 127), NaN at 0xFF. OCP Microscaling Formats 1.0.
  case f8E8M0 = "F8_E8M0"
  case f8E4M3FNUZ = "F8_E4M3FNUZ"
  case f8E5M2FNUZ = "F8_E5M2FNUZ"
  case i16 = "I16"
  case u16 = "U16"
  case f16 = "F16"
  case bf16 = "BF16"
  case i32 = "I32"
  case u32 = "U32"
  case f32 = "F32"
  /// Two Float32, real part first.
  case c64 = "C64"
  case f64 = "F64"
  case i64 = "I64"
  case u64 = "U64"

  /// The size of one element in bits.
  public var bitsPerElement: Int {
    switch self {
    case .f4: 4
    case .f6E2M3, .f6E3M2: 6
    case .bool, .u8, .i8, .f8E5M2, .f8E4M3, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ: 8
    case .i16, .u16, .f16, .bf16: 16
    case .i32, .u32, .f32: 32
    case .c64, .f64, .i64, .u64: 64
    }
  }

  /// Whether the elements are numbers with a fraction that stand for themselves, without a scale.
  public var isPlainFloat: Bool {
    switch self {
    case .f16, .bf16, .f32, .f64: true
    default: false
    }
  }
}
