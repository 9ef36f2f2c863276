package import Tensors

/// The numbers that stand for dtypes in the file. A number is never given a second meaning.
package enum DTypeCode {
  private static let byCode: [DType?] = [
    nil, .bool, .f4, .f6E2M3, .f6E3M2, .u8, .i8, .f8E5M2, .f8E4M3, .f8E8M0, .f8E4M3FNUZ,
    .f8E5M2FNUZ, .i16, .u16, .f16, .bf16, .i32, .u32, .f32, .c64, .f64, .i64, .u64,
  ]

  /// The dtype that a number stands for, or nil.
  package static func dtype(_ code: UInt8) -> DType? {
    Int(code) < byCode.count ? byCode[Int(code)] : nil
  }

  /// The number that stands for a dtype.
  package static func code(_ dtype: DType) -> UInt8 {
    switch dtype {
    case .bool: 1
    case .f4: 2
    case .f6E2M3: 3
    case .f6E3M2: 4
    case .u8: 5
    case .i8: 6
    case .f8E5M2: 7
    case .f8E4M3: 8
    case .f8E8M0: 9
    case .f8E4M3FNUZ: 10
    case .f8E5M2FNUZ: 11
    case .i16: 12
    case .u16: 13
    case .f16: 14
    case .bf16: 15
    case .i32: 16
    case .u32: 17
    case .f32: 18
    case .c64: 19
    case .f64: 20
    case .i64: 21
    case .u64: 22
    }
  }
}
