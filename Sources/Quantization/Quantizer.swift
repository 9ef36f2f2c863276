import CKernels
import Tensors

/// Turns rows of Float32 into codes and scales. formats/quantization.md specifies the result bit by
/// bit; it is the same for any division of a matrix into tiles and for any instruction set.
///
/// A weight that is not finite takes no part in the choice of its block's scale; NaN gets the code
/// of 0, an infinity the outermost code of its sign.
public struct Quantizer: Sendable {
  public let format: QuantizationFormat
  public let columns: Int
  public let search: ScaleSearch
  /// The scale that multiplies all others, where the format has one.
  public let globalScale: Float?
  /// The scale of all weights, where the format has just one.
  public let tensorScale: Float?

  /// The tables of levels, where the format has such.
  public let tables: LookupTables?

  /// How much the squared errors of each column count when scales are searched: not negative,
  /// finite, 1 for all if nil. What multiplies all of them changes nothing.
  public let importance: [Float]?

  private let kernel: Kernel

  private enum Kernel {
    case blocks(ck_quantizer)
    case tables(ck_lut)
  }

  /// - Parameter summary: what the format needs to know of the whole tensor.
  /// - Precondition: `format` is a scheme's, `columns` is not negative, `summary` is of the
  ///   format's `neededSummary`, and `importance` has a value per column that `isImportance`.
  public init(
    format: QuantizationFormat, columns: Int, search: ScaleSearch,
    summary: TensorSummary = .nothing, importance: [Float]? = nil
  ) {
    precondition(columns >= 0)
    precondition(importance.map { $0.count == columns && $0.allSatisfy(Self.isImportance) } ?? true)
    self.importance = importance.map(Self.normalized)
    self.format = format
    self.columns = columns
    self.search = search
    if format.tableCount > 0 {
      guard case .sample(let sample) = summary else { preconditionFailure("a sample is needed") }
      let tables = LookupTables(
        learnedFrom: sample, format: format, importance: self.importance)
      self.tables = tables
      globalScale = tables.globalScale
      tensorScale = nil
      kernel = .tables(ck_lut(format: format, columns: columns, tables: tables))
      return
    }
    var maximum: Float = 0
    if case .maximum(let given) = summary {
      // The bound keeps multiples of the scales finite.
      maximum = min(given, 0x1p125)
    } else {
      precondition(format.neededSummary == .nothing, "the tensor's maximum is needed")
    }
    tables = nil
    globalScale = format.hasGlobalScale ? Self.globalScale(ofMaximum: maximum) : nil
    tensorScale =
      format.blockRows == nil ? Self.tensorScale(ofMaximum: maximum, code: format.code) : nil
    let kernel = ck_quantizer(
      code: format.code.kernelCode, scale: Self.kernelScale(format.scale),
      search: search.kernelSearch,
      columns: columns, block_rows: format.blockRows ?? .max,
      block_columns: format.blockColumns ?? max(columns, 1), global_scale: globalScale ?? 1,
      tensor_scale: tensorScale ?? 0)
    self.kernel = .blocks(kernel)
  }

  /// Quantizes a tile of `rows × columns` values, and measures the error on the way. The first row
  /// is a multiple of `format.tileRowMultiple` in its matrix; only a matrix's last tile may have a
  /// number of rows that is no such multiple.
  ///
  /// `codes`, `scales` and `zeroPoints` are the slices of the planes that belong to these rows.
  /// With one scale per tensor, `scales` may be empty, or hold the four bytes of `tensorScale`,
  /// which are then written. `delivered` receives what a `Dequantizer` makes of the planes, or is
  /// empty where nobody asks. The error joins `statistics`, clipped weights included: the same
  /// figures, to the last bit, as `ErrorStatistics.add` and `Dequantizer.clippedCount` find.
  public func quantize(
    _ values: Span<Float>, rows: Int, codes: inout MutableSpan<UInt8>,
    scales: inout MutableSpan<UInt8>, zeroPoints: inout MutableSpan<UInt8>,
    delivered: inout MutableSpan<Float>, measuring statistics: inout ErrorStatistics
  ) {
    if case .tables(let lut) = kernel, values.count > 0 {
      check(values, rows, codes.count, scales.count, zeroPoints.count, delivered.count)
      quantize(
        values, rows: rows, with: lut, codes: &codes, scales: &scales, delivered: &delivered,
        measuring: &statistics)
      return
    }
    unsafe withUnsafeMutablePointer(to: &statistics.sums) { sums in
      unsafe quantizeBlocks(
        values, rows: rows, codes: &codes, scales: &scales, zeroPoints: &zeroPoints,
        delivered: &delivered, sums: sums)
    }
  }

  /// Quantizes a tile without a look at the error.
  public func quantize(
    _ values: Span<Float>, rows: Int, codes: inout MutableSpan<UInt8>,
    scales: inout MutableSpan<UInt8>, zeroPoints: inout MutableSpan<UInt8>
  ) {
    var delivered = MutableSpan<Float>()
    if case .tables = kernel {
      var statistics = ErrorStatistics()
      quantize(
        values, rows: rows, codes: &codes, scales: &scales, zeroPoints: &zeroPoints,
        delivered: &delivered, measuring: &statistics)
      return
    }
    unsafe quantizeBlocks(
      values, rows: rows, codes: &codes, scales: &scales, zeroPoints: &zeroPoints,
      delivered: &delivered, sums: nil)
  }

  private func check(
    _ values: Span<Float>, _ rows: Int, _ codeCount: Int, _ scaleCount: Int,
    _ zeroPointCount: Int, _ deliveredCount: Int
  ) {
    let layout = QuantizedLayout(format: format, rows: rows, columns: columns)
    precondition(values.count == rows * columns)
    precondition(codeCount == layout.codes.count)
    precondition(scaleCount == layout.scales.count || tensorScale != nil && scaleCount == 0)
    precondition(zeroPointCount == layout.zeroPoints.count)
    precondition(deliveredCount == values.count || deliveredCount == 0)
  }

  private func quantizeBlocks(
    _ values: Span<Float>, rows: Int, codes: inout MutableSpan<UInt8>,
    scales: inout MutableSpan<UInt8>, zeroPoints: inout MutableSpan<UInt8>,
    delivered: inout MutableSpan<Float>, sums: UnsafeMutablePointer<ck_error_sums>?
  ) {
    check(values, rows, codes.count, scales.count, zeroPoints.count, delivered.count)
    if let tensorScale, scales.count == 4 {
      for i in 0..<4 { scales[i] = UInt8(truncatingIfNeeded: tensorScale.bitPattern >> (8 * i)) }
    }
    guard values.count > 0, case .blocks(let kernel) = kernel else { return }
    let importance = self.importance ?? []
    unsafe importance.withUnsafeBufferPointer { importance in
      unsafe values.withUnsafeBufferPointer { values in
        unsafe codes.withUnsafeMutableBufferPointer { codes in
          unsafe scales.withUnsafeMutableBufferPointer { scales in
            unsafe zeroPoints.withUnsafeMutableBufferPointer { zeroPoints in
              unsafe delivered.withUnsafeMutableBufferPointer { delivered in
                var destination = unsafe ck_quantized(
                  codes: codes.baseAddress, scales: scales.baseAddress,
                  zero_points: zeroPoints.baseAddress,
                  delivered: delivered.count == 0 ? nil : delivered.baseAddress, sums: sums)
                unsafe withUnsafePointer(to: kernel) {
                  unsafe ck_quantize(
                    $0, values.baseAddress, rows,
                    importance.count == 0 ? nil : importance.baseAddress, &destination)
                }
              }
            }
          }
        }
      }
    }
  }

  /// Whether a number can weigh a column's errors.
  public static func isImportance(_ value: Float) -> Bool { value >= 0 && value < .infinity }

  /// The largest is less than 2, so that sums of errors stay finite. A power of two rounds nothing.
  private static func normalized(_ importance: [Float]) -> [Float] {
    guard let largest = importance.max(), largest > 0 else { return importance }
    let factor = Float(sign: .plus, exponent: -Int(largest.exponent) / 2, significand: 1)
    let rest = Float(
      sign: .plus, exponent: -Int(largest.exponent) - Int(factor.exponent), significand: 1)
    return importance.map { $0 * factor * rest }
  }

  /// The tensor's maximum over 6·448, the largest product of a code and a scale; 1 for a tensor of
  /// zeros. At least 2^-110, so that the products stay normal numbers.
  private static func globalScale(ofMaximum maximum: Float) -> Float {
    maximum == 0 ? 1 : max(maximum / (6 * 448), 0x1p-110)
  }

  /// The tensor's maximum over the largest code; 1 for a tensor of zeros. At least 2^-126, so that
  /// its reciprocal is finite.
  private static func tensorScale(ofMaximum maximum: Float, code: CodeFormat) -> Float {
    let largest: Float =
      switch code {
      case .e4m3: 448
      case .e2m1: 6
      case .int8: 127.5
      case .int4, .uint4: 7.5
      case .lut4, .lut3: 127
      }
    return maximum == 0 ? 1 : max(maximum / largest, 0x1p-126)
  }

  private static func kernelScale(_ scale: DType) -> ck_scale {
    switch scale {
    case .f32: CK_SCALE_F32
    case .bf16: CK_SCALE_BF16
    case .f8E8M0: CK_SCALE_E8M0
    case .f8E4M3: CK_SCALE_E4M3
    default: preconditionFailure("no scheme has \(scale.rawValue) scales")
    }
  }
}

extension CodeFormat {
  var kernelCode: ck_code {
    switch self {
    case .e4m3: CK_CODE_E4M3
    case .e2m1: CK_CODE_E2M1
    case .int8: CK_CODE_INT8
    case .int4: CK_CODE_INT4
    case .uint4: CK_CODE_UINT4
    case .lut4, .lut3: preconditionFailure("indices have kernels of their own")
    }
  }
}

extension ScaleSearch {
  var kernelSearch: ck_search {
    switch self {
    case .absmax: CK_SEARCH_ABSMAX
    case .fast: CK_SEARCH_FAST
    case .full: CK_SEARCH_FULL
    }
  }
}
