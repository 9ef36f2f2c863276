import CKernels

/// Conversions between the elements of plain tensors and Float32, by the array.
///
/// Bytes are little-endian and need no alignment. formats/quantization.md tells the bits.
public enum ElementConversion {
  /// Whether `decode` knows the dtype.
  public static func canDecode(_ dtype: DType) -> Bool {
    switch dtype {
    case .f4, .f8E5M2, .f8E4M3, .f8E8M0, .f16, .bf16, .f32, .f64, .i8: true
    default: false
    }
  }

  /// Decodes as many elements as `values` holds: exactly, but for F64, which rounds to nearest
  /// even.
  ///
  /// - Precondition: `canDecode(dtype)`, and `bytes` holds as many bytes as the elements take; a
  ///   last half byte of F4 counts as one.
  public static func decode(
    _ bytes: Span<UInt8>, as dtype: DType, into values: inout MutableSpan<Float>
  ) {
    let count = values.count
    precondition(bytes.count == (count * dtype.bitsPerElement + 7) / 8)
    unsafe bytes.withUnsafeBufferPointer { source in
      unsafe values.withUnsafeMutableBufferPointer { target in
        guard let codes = source.baseAddress, let floats = target.baseAddress else { return }
        switch dtype {
        case .f4: unsafe ck_decode_e2m1(codes, count, floats)
        case .f8E5M2: unsafe ck_decode_e5m2(codes, count, floats)
        case .f8E4M3: unsafe ck_decode_e4m3(codes, count, floats)
        case .f8E8M0: unsafe ck_decode_e8m0(codes, count, floats)
        case .f16: unsafe ck_decode_f16(codes, count, floats)
        case .bf16: unsafe ck_decode_bf16(codes, count, floats)
        case .f32:
          unsafe UnsafeMutableRawPointer(floats).copyMemory(from: codes, byteCount: 4 * count)
        case .f64: unsafe ck_decode_f64(codes, count, floats)
        case .i8: unsafe ck_decode_int8(codes, count, floats)
        default: preconditionFailure("\(dtype.rawValue) has no decoder")
        }
      }
    }
  }

  /// Rounds to BFloat16, nearest even; overflow becomes an infinity.
  ///
  /// - Precondition: `bytes` holds two bytes per value.
  public static func encodeBF16(_ values: Span<Float>, into bytes: inout MutableSpan<UInt8>) {
    precondition(bytes.count == 2 * values.count)
    unsafe values.withUnsafeBufferPointer { source in
      unsafe bytes.withUnsafeMutableBufferPointer { target in
        guard let floats = source.baseAddress, let codes = target.baseAddress else { return }
        unsafe ck_encode_bf16(floats, source.count, codes)
      }
    }
  }

  /// Rounds to E4M3, nearest even; overflow saturates to ±448.
  ///
  /// - Precondition: `bytes` holds one byte per value.
  public static func encodeE4M3(_ values: Span<Float>, into bytes: inout MutableSpan<UInt8>) {
    precondition(bytes.count == values.count)
    unsafe values.withUnsafeBufferPointer { source in
      unsafe bytes.withUnsafeMutableBufferPointer { target in
        guard let floats = source.baseAddress, let codes = target.baseAddress else { return }
        unsafe ck_encode_e4m3(floats, source.count, codes)
      }
    }
  }

  /// Copies the bits of Float32, little-endian.
  ///
  /// - Precondition: `bytes` holds four bytes per value.
  public static func encodeF32(_ values: Span<Float>, into bytes: inout MutableSpan<UInt8>) {
    precondition(bytes.count == 4 * values.count)
    unsafe values.withUnsafeBufferPointer { source in
      unsafe bytes.withUnsafeMutableBufferPointer { target in
        guard let floats = source.baseAddress, let codes = target.baseAddress else { return }
        unsafe UnsafeMutableRawPointer(codes).copyMemory(from: floats, byteCount: target.count)
      }
    }
  }
}
