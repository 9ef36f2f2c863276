import CKernels
import Quantization
import Tensors
import Testing

/// Kernels for all instruction sets give the same bits, and those that the specification asks for.
@Suite struct KernelTwinTests {
  static let columnCounts = [
    1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 257, 1023,
  ]
  /// Those with tables have kernels, and tests, of their own.
  static let formats = Scheme.allCases.compactMap(\.format).filter { $0.tableCount == 0 }

  /// A row of each kind of content.
  static func rows(columns: Int) -> [[Float]] {
    let normal = normalValues(columns, seed: UInt64(columns))
    func replaced(_ value: Float, every step: Int) -> [Float] {
      normal.enumerated().map { $0.offset % step == step / 2 ? value : $0.element }
    }
    return [
      normal, replaced(.nan, every: 5), replaced(.infinity, every: 7),
      replaced(-.infinity, every: 11), normal.map { $0 * 0x1p-130 }, normal.map { $0 * 0x1p-148 },
      normal.map { $0 * 0x1p120 * 0x1p10 }, [Float](repeating: 0, count: columns),
      [Float](repeating: -0.0, count: columns), [Float](repeating: 0.3, count: columns),
      [Float](repeating: -1.7e-5, count: columns), normal.map(\.magnitude),
      normal.map { -$0.magnitude },
      replaced(3.4e38, every: 3), replaced(10, every: 200),
    ]
  }

  /// What the C kernels take.
  static func kernel(_ quantizer: Quantizer) -> ck_quantizer {
    let format = quantizer.format
    let scales: [DType: ck_scale] = [
      .f32: CK_SCALE_F32, .bf16: CK_SCALE_BF16, .f8E8M0: CK_SCALE_E8M0, .f8E4M3: CK_SCALE_E4M3,
    ]
    let searches: [ScaleSearch: ck_search] = [
      .absmax: CK_SEARCH_ABSMAX, .fast: CK_SEARCH_FAST, .full: CK_SEARCH_FULL,
    ]
    return ck_quantizer(
      code: ck_code(UInt32(format.code.rawValue)), scale: scales[format.scale]!,
      search: searches[quantizer.search]!, columns: quantizer.columns,
      block_rows: format.blockRows ?? .max, block_columns: format.blockColumns ?? quantizer.columns,
      global_scale: quantizer.globalScale ?? 1, tensor_scale: quantizer.tensorScale ?? 0)
  }

  /// What a twin makes of a matrix.
  struct Result: Equatable {
    var codes: [UInt8]
    var scales: [UInt8]
    var zeroPoints: [UInt8]
    var delivered: [UInt32]
    var sums: [UInt64]
  }

  static func quantize(
    _ values: [Float], rows: Int, like chosen: QuantizedMatrix, by quantizer: Quantizer,
    delivering: Bool = true
  ) -> [Result] {
    unsafe Twins.quantize.map { quantize in
      var kernel = Self.kernel(quantizer)
      var (codes, scales, zeroPoints) = (chosen.codes, chosen.scales, chosen.zeroPoints)
      for i in codes.indices { codes[i] = 0x55 }
      if quantizer.tensorScale == nil { for i in scales.indices { scales[i] = 0x55 } }
      for i in zeroPoints.indices { zeroPoints[i] = 0x55 }
      var delivered = [Float](repeating: -7, count: delivering ? values.count : 0)
      var sums = ck_error_sums()
      unsafe codes.withUnsafeMutableBufferPointer { codes in
        unsafe scales.withUnsafeMutableBufferPointer { scales in
          unsafe zeroPoints.withUnsafeMutableBufferPointer { zeroPoints in
            unsafe delivered.withUnsafeMutableBufferPointer { delivered in
              unsafe withUnsafeMutablePointer(to: &sums) { sums in
                var to = unsafe ck_quantized(
                  codes: codes.baseAddress, scales: scales.baseAddress,
                  zero_points: zeroPoints.baseAddress,
                  delivered: delivering ? delivered.baseAddress : nil, sums: sums)
                if let importance = quantizer.importance {
                  unsafe quantize(&kernel, values, rows, importance, &to)
                } else {
                  unsafe quantize(&kernel, values, rows, nil, &to)
                }
              }
            }
          }
        }
      }
      return Result(
        codes: codes, scales: scales, zeroPoints: zeroPoints,
        delivered: delivered.map(\.bitPattern), sums: ErrorStatisticsTests.bits(sums))
    }
  }

  @Test(arguments: formats, ScaleSearch.allCases)
  func twins(format: QuantizationFormat, search: ScaleSearch) {
    for columns in Self.columnCounts {
      let rows = Self.rows(columns: columns)
      // Row by row, and together.
      for part in rows.map({ [$0] }) + [rows, [rows[0], rows[9]]] {
        let values = part.flatMap { $0 }
        let chosen = QuantizedMatrix(
          values, rows: part.count, columns: columns, format: format, search: search)
        let quantizer = Quantizer(
          format: format, columns: columns, search: search,
          summary: TensorSummary(
            of: values.span, rows: part.count, columns: columns, kind: format.neededSummary))
        // The errors as they are found afterwards, from the planes.
        var separate = ErrorStatistics()
        separate.add(
          reference: values.span, approximation: chosen.values.span, columns: columns)
        separate.clippedCount = Dequantizer(
          format: format, columns: columns, globalScale: quantizer.globalScale
        ).clippedCount(
          of: values.span, scales: chosen.scales.span, zeroPoints: chosen.zeroPoints.span,
          rows: part.count)
        for result in Self.quantize(values, rows: part.count, like: chosen, by: quantizer) {
          #expect(result.codes == chosen.codes)
          #expect(result.scales == chosen.scales)
          #expect(result.zeroPoints == chosen.zeroPoints)
          #expect(result.delivered == chosen.values.map(\.bitPattern))
          let sums = result.sums
          #expect(
            Double(bitPattern: sums[0]) + Double(bitPattern: sums[1]) == separate.sumOfSquares)
          #expect(
            Double(bitPattern: sums[2]) + Double(bitPattern: sums[3])
              == separate.sumOfSquaredErrors)
          #expect(Double(bitPattern: sums[4]) == separate.maximumAbsoluteError)
          #expect(
            sums[5...].map { Int($0) } == [
              separate.count, separate.zeroedCount, separate.nonFiniteCount,
              separate.clippedCount,
            ])
        }
        // Nothing that a verifier would find, and nothing infinite.
        var found = SpecialValues()
        found.add(chosen.scales.span, dtype: format.scale == .u8 ? .f8E8M0 : format.scale)
        if format.code == .e4m3 {
          var codes = SpecialValues()
          codes.add(chosen.codes.span, dtype: .f8E4M3)
          #expect(codes.nonFiniteCount == 0)
        }
        #expect(found == SpecialValues())
        let allFinite = chosen.values.allSatisfy(\.isFinite)
        #expect(allFinite)
        Self.checkUnusedBits(of: chosen, rows: part.count, columns: columns, format: format)
      }
    }
  }

  /// What nobody asks for changes nothing.
  @Test(arguments: formats)
  func withoutDelivering(format: QuantizationFormat) {
    let values = Self.rows(columns: 300)[0..<4].flatMap { $0 }
    let chosen = QuantizedMatrix(
      values, rows: 4, columns: 300, format: format, search: .absmax)
    let quantizer = Quantizer(
      format: format, columns: 300, search: .absmax,
      summary: TensorSummary(
        of: values.span, rows: 4, columns: 300, kind: format.neededSummary))
    func results(delivering: Bool) -> [Result] {
      Self.quantize(values, rows: 4, like: chosen, by: quantizer, delivering: delivering)
    }
    for (with, without) in zip(results(delivering: true), results(delivering: false)) {
      #expect(with.codes == without.codes && with.scales == without.scales)
      #expect(with.sums == without.sums)
    }
  }

  /// A last half byte ends in zero bits.
  static func checkUnusedBits(
    of quantized: QuantizedMatrix, rows: Int, columns: Int, format: QuantizationFormat
  ) {
    let layout = QuantizedLayout(format: format, rows: rows, columns: columns)
    if format.code.bitsPerCode == 4, columns % 2 == 1 {
      for row in 1...rows {
        #expect(quantized.codes[row * layout.codeRowByteCount - 1] >> 4 == 0)
      }
    }
    if format.hasZeroPoints, layout.scaleColumns % 2 == 1 {
      for row in 1...rows {
        #expect(quantized.zeroPoints[row * layout.zeroPointRowByteCount - 1] >> 4 == 0)
      }
    }
  }

  /// All codes and odd group sizes, scales of every kind.
  @Test(arguments: CodeFormat.allCases.filter { $0.levelCount == nil })
  func dequantizeTwins(code: CodeFormat) {
    let specials: [Float] = [
      0.02, -0.5, 0, -0.0, 0x1p-140, 0x1p-126, 3e38, .infinity, -.infinity, 1.7, 0x1p-127, 0.1,
    ]
    for columns in Self.columnCounts {
      for groupColumns in [1, 2, 3, 7, 8, 16, 31, 32, 128, 1023] {
        let codes = (0..<columns).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ columns) }
        let groups = (columns + groupColumns - 1) / groupColumns
        let scales = (0..<groups).map { specials[$0 % specials.count] }
        let zeroPoints = (0..<groups).map { UInt8(truncatingIfNeeded: $0 &* 29) }
        let twins = unsafe Twins.dequantizeRow.map { dequantize in
          var values = [Float](repeating: -1, count: columns)
          unsafe dequantize(
            ck_code(UInt32(code.rawValue)), codes, columns, groupColumns, scales, zeroPoints,
            &values)
          return values.map { $0.isNaN ? Float.nan.bitPattern : $0.bitPattern }
        }
        for twin in twins.dropFirst() { #expect(twin == twins[0]) }
      }
    }
  }

  /// Tiles of as many rows as a format needs give the same bytes as the whole.
  @Test(arguments: Scheme.allCases.compactMap(\.format))
  func tiles(format: QuantizationFormat) {
    let (rows, columns) = (200, 70)
    let values = normalValues(rows * columns)
    let whole = QuantizedMatrix(
      values, rows: rows, columns: columns, format: format, search: .fast)
    let summary = TensorSummary(
      of: values.span, rows: rows, columns: columns, kind: format.neededSummary)
    let quantizer = Quantizer(format: format, columns: columns, search: .fast, summary: summary)
    var codes = [UInt8]()
    var scales = [UInt8]()
    var zeroPoints = [UInt8]()
    let height = format.tileRowMultiple
    for start in stride(from: 0, to: rows, by: height) {
      let tile = start..<min(rows, start + height)
      let layout = QuantizedLayout(format: format, rows: tile.count, columns: columns)
      var tileCodes = [UInt8](repeating: 0, count: layout.codes.count)
      var tileScales = [UInt8](
        repeating: 0,
        count: quantizer.tensorScale == nil || tile.lowerBound == 0
          ? layout.scales.count : 0)
      var tileZeroPoints = [UInt8](repeating: 0, count: layout.zeroPoints.count)
      var codeSpan = tileCodes.mutableSpan
      var scaleSpan = tileScales.mutableSpan
      var zeroPointSpan = tileZeroPoints.mutableSpan
      quantizer.quantize(
        values.span.extracting(tile.lowerBound * columns..<tile.upperBound * columns),
        rows: tile.count, codes: &codeSpan, scales: &scaleSpan, zeroPoints: &zeroPointSpan)
      codes += tileCodes
      scales += tileScales
      zeroPoints += tileZeroPoints
    }
    #expect(codes == whole.codes)
    #expect(scales == whole.scales)
    #expect(zeroPoints == whole.zeroPoints)
  }
}
