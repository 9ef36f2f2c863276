import CKernels

extension Quantizer {
  /// About so many weights are quantized, decoded and measured before the next, while they are at
  /// hand.
  private static let batchElementCount = 1 << 13

  /// Quantizes a tile to indices into tables, decodes it and adds its error.
  func quantize(
    _ values: Span<Float>, rows: Int, with lut: ck_lut, codes: inout MutableSpan<UInt8>,
    scales: inout MutableSpan<UInt8>, delivered: inout MutableSpan<Float>,
    measuring statistics: inout ErrorStatistics
  ) {
    let columns = columns
    let height = max(1, Self.batchElementCount / columns)
    let (codeBytes, scaleBytes) = (codes.count / rows, scales.count / rows)
    var lut = lut
    var scratch = [Float](repeating: 0, count: delivered.count == 0 ? height * columns : 0)
    unsafe importance.withUnsafeElements { importance in
      unsafe values.withUnsafeBufferPointer { values in
        unsafe codes.withUnsafeMutableBufferPointer { codes in
          unsafe scales.withUnsafeMutableBufferPointer { scales in
            unsafe delivered.withUnsafeMutableBufferPointer { delivered in
              unsafe scratch.withUnsafeMutableBufferPointer { scratch in
                guard let values = values.baseAddress, let codes = codes.baseAddress,
                  let scales = scales.baseAddress,
                  let decoded = delivered.count == 0
                    ? scratch.baseAddress : delivered.baseAddress
                else { return }
                for start in stride(from: 0, to: rows, by: height) {
                  let count = min(height, rows - start)
                  let source = unsafe values + start * columns
                  let codes = unsafe codes + start * codeBytes
                  let scales = unsafe scales + start * scaleBytes
                  let target = unsafe delivered.count == 0 ? decoded : decoded + start * columns
                  unsafe ck_lut_quantize(
                    &lut, search.kernelSearch, importance, source, count, codes, scales)
                  unsafe ck_lut_dequantize(&lut, codes, scales, count, target)
                  unsafe ck_add_errors(source, target, count, columns, &statistics.sums)
                  statistics.sums.clipped_count += unsafe ck_lut_count_outside(
                    &lut, scales, source, count)
                }
              }
            }
          }
        }
      }
    }
  }
}
