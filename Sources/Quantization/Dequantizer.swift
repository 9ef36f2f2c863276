import CKernels
import Tensors

/// Turns codes and scales into Float32, for any format: scales may be F32, BF16, F16, F8_E8M0 (or
/// U8, which holds the same bytes) or F8_E4M3, and blocks of any size.
///
/// A weight is `code × scale`, or `(code − zeroPoint) × scale`, rounded once to Float32. A global
/// scale multiplies each scale before that, rounded to Float32. With tables a code is an index, and
/// a group's scale is that of its 256 columns times its step.
public struct Dequantizer: Sendable {
  public let format: QuantizationFormat
  public let columns: Int
  public let globalScale: Float?
  /// With tables, what the kernels take.
  private(set) var lut: ck_lut?
  /// What a row of each plane has; divisions that take as long as decoding a small tile.
  private let codeRowByteCount, scaleRowByteCount, scaleColumns, zeroPointRowByteCount: Int

  /// Whether the format makes sense and can be decoded: what to ask of a format that a file states.
  public static func canDecode(_ format: QuantizationFormat) -> Bool {
    switch format.scale {
    case .f32, .bf16, .f16, .f8E8M0, .f8E4M3, .u8: break
    default: return false
    }
    return format.blockRows ?? 1 > 0 && format.blockColumns ?? 1 > 0
      && format.hasZeroPoints == (format.code == .uint4) && format.hasSoundTables
  }

  /// - Precondition: `canDecode(format)`, `columns` is not negative; `globalScale` is there if the
  ///   format has one, and so are all `levels` of its tables.
  public init(
    format: QuantizationFormat, columns: Int, globalScale: Float? = nil, levels: [Int8] = []
  ) {
    precondition(columns >= 0 && Self.canDecode(format))
    precondition(globalScale != nil || !format.hasGlobalScale, "the global scale is needed")
    self.format = format
    self.columns = columns
    self.globalScale = format.hasGlobalScale ? globalScale : nil
    let row = QuantizedLayout(format: format, rows: 1, columns: columns)
    codeRowByteCount = row.codeRowByteCount
    scaleRowByteCount = row.scaleRowByteCount
    scaleColumns = row.scaleColumns
    zeroPointRowByteCount = row.zeroPointRowByteCount
    if format.tableCount > 0 {
      let tables = LookupTables(levels: levels, globalScale: globalScale ?? 1)
      lut = ck_lut(format: format, columns: columns, tables: tables)
    }
  }

  /// Decodes the rows of a tile whose first row is a multiple of `format.blockRows` in its matrix.
  ///
  /// `codes`, `scales` and `zeroPoints` are the slices of the planes that belong to these rows.
  public func dequantize(
    codes: Span<UInt8>, scales: Span<UInt8>, zeroPoints: Span<UInt8>, rows: Int,
    into values: inout MutableSpan<Float>
  ) {
    let scaleRows = format.blockCount(rows, per: format.blockRows)
    precondition(values.count == rows * columns)
    precondition(codes.count == rows * codeRowByteCount)
    precondition(zeroPoints.count == scaleRows * zeroPointRowByteCount)
    if values.count == 0 { return }
    if var lut {
      precondition(scales.count == scaleRows * scaleRowByteCount)
      unsafe codes.withUnsafeBufferPointer { codes in
        unsafe scales.withUnsafeBufferPointer { scales in
          unsafe values.withUnsafeMutableBufferPointer {
            unsafe ck_lut_dequantize(
              &lut, codes.baseAddress, scales.baseAddress, rows, $0.baseAddress)
          }
        }
      }
      return
    }
    var kernel = ck_dequantizer(
      code: format.code.kernelCode, columns: columns, block_rows: format.blockRows ?? rows,
      block_columns: format.blockColumns ?? columns)
    let scaleCount = scaleRows * scaleColumns
    unsafe codes.withUnsafeBufferPointer { codes in
      unsafe zeroPoints.withUnsafeBufferPointer { zeroPoints in
        unsafe values.withUnsafeMutableBufferPointer { values in
          // Not an array, because of the time that it takes to get the memory for a small tile.
          unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: scaleCount) { buffer in
            unsafe buffer.initialize(repeating: 0)
            var decodedScales = unsafe buffer.mutableSpan
            decodeScales(scales, into: &decodedScales)
            unsafe ck_dequantize(
              &kernel, codes.baseAddress, buffer.baseAddress, zeroPoints.baseAddress, rows,
              values.baseAddress)
          }
        }
      }
    }
  }

  /// The numbers that a slice of the scale plane stands for, global scale included.
  /// - Precondition: the format has no tables.
  public func decodeScales(_ scales: Span<UInt8>) -> [Float] {
    var values = [Float](repeating: 0, count: scales.count * 8 / scaleDType.bitsPerElement)
    var span = values.mutableSpan
    decodeScales(scales, into: &span)
    return values
  }

  private var scaleDType: DType { format.scale == .u8 ? .f8E8M0 : format.scale }

  private func decodeScales(_ scales: Span<UInt8>, into values: inout MutableSpan<Float>) {
    ElementConversion.decode(scales, as: scaleDType, into: &values)
    if let globalScale {
      for i in 0..<values.count { values[i] *= globalScale }
    }
  }
}
