import CKernels
import Quantization
import Tensors
import Testing

/// Indices into tables: twins, edges, tiles, and what a search must reach.
@Suite struct LookupTableTests {
  static let schemes = Scheme.allCases.filter { $0.format?.tableCount ?? 0 > 0 }
  static let columnCounts = [
    1, 2, 3, 7, 8, 9, 15, 16, 17, 23, 31, 32, 33, 47, 48, 63, 65, 100, 255, 256, 257, 271, 273, 289,
    511, 513, 1023,
  ]

  /// What the C kernels take.
  static func kernel(_ format: QuantizationFormat, columns: Int) -> ck_lut {
    var lut = ck_lut()
    lut.level_count = Int32(format.code.levelCount!)
    lut.table_count = Int32(format.tableCount)
    lut.group_columns = format.blockColumns!
    lut.columns = columns
    return lut
  }

  /// Everything that one instruction set makes of a matrix.
  struct Result: Equatable {
    var levels: [UInt8]
    var globalScale: Float
    var codes: [UInt8]
    var scales: [UInt8]
    var values: [UInt32]
  }

  static func run(
    twin: Int, _ matrix: [Float], rows: Int, columns: Int, format: QuantizationFormat,
    search: ck_search, importance: [Float]?
  ) -> Result {
    var lut = kernel(format, columns: columns)
    let width = min(columns, 256)
    let sample = stride(from: 0, to: rows, by: 1).flatMap {
      matrix[$0 * columns..<$0 * columns + width]
    }
    let weights = importance.map { weights in (0..<rows).flatMap { _ in weights[..<width] } }
    let layout = QuantizedLayout(format: format, rows: rows, columns: columns)
    var codes = [UInt8](repeating: 0x55, count: layout.codes.count)
    var scales = [UInt8](repeating: 0x55, count: layout.scales.count)
    var values = [Float](repeating: -1, count: matrix.count)
    let learn = unsafe Twins.learnTables[twin]
    let quantize = unsafe Twins.quantizeToTables[twin]
    let dequantize = unsafe Twins.dequantizeFromTables[twin]
    if let weights {
      unsafe learn(&lut, sample, rows, width, weights)
    } else {
      unsafe learn(&lut, sample, rows, width, nil)
    }
    if let importance {
      unsafe quantize(&lut, search, importance, matrix, rows, &codes, &scales)
    } else {
      unsafe quantize(&lut, search, nil, matrix, rows, &codes, &scales)
    }
    unsafe dequantize(&lut, codes, scales, rows, &values)
    let levels = unsafe withUnsafeBytes(of: lut.levels) { unsafe Array($0) }
    return Result(
      levels: levels, globalScale: lut.global_scale, codes: codes, scales: scales,
      values: values.map(\.bitPattern))
  }

  @Test(arguments: schemes, [CK_SEARCH_ABSMAX, CK_SEARCH_FAST, CK_SEARCH_FULL])
  func twins(scheme: Scheme, search: ck_search) {
    let format = scheme.format!
    for columns in Self.columnCounts {
      let rows = KernelTwinTests.rows(columns: columns)
      let importance = normalValues(columns, standardDeviation: 1, seed: 5).map(\.magnitude)
      for part in rows.map({ [$0] }) + [rows, [rows[0], rows[9]]] {
        let matrix = part.flatMap { $0 }
        for weights in [nil, importance] {
          let results = unsafe Twins.learnTables.indices.map {
            Self.run(
              twin: $0, matrix, rows: part.count, columns: columns, format: format, search: search,
              importance: weights)
          }
          #expect(results.allSatisfy { $0 == results[0] })
          let allFinite = results[0].values.allSatisfy { Float(bitPattern: $0).isFinite }
          #expect(allFinite)
          Self.checkSuperScales(
            results[0].scales, rows: part.count, columns: columns, format: format)
        }
      }
    }
  }

  /// None is zero, negative, infinite or NaN.
  static func checkSuperScales(
    _ scales: [UInt8], rows: Int, columns: Int, format: QuantizationFormat
  ) {
    let rowByteCount = scales.count / rows
    let groups = 256 / format.blockColumns!
    let odd = 2 + groups * 6 / 8 + (format.tableCount == 2 ? groups / 8 : 0)
    let byteCount = (odd + 1) / 2 * 2
    for row in 0..<rows {
      for start in stride(from: 0, to: rowByteCount, by: byteCount) {
        let place = row * rowByteCount + start
        let bits = UInt16(scales[place]) | UInt16(scales[place + 1]) << 8
        #expect((1..<0x7C00).contains(bits))
      }
    }
  }

  /// Weights that are all equally important change nothing, and zeros stay zeros.
  @Test(arguments: schemes)
  func importanceOfOne(scheme: Scheme) {
    let (rows, columns) = (3, 300)
    var matrix = normalValues(rows * columns, seed: 9)
    for column in 0..<columns { matrix[columns + column] = 0 }
    let results = [nil, [Float](repeating: 1, count: columns)].map {
      Self.run(
        twin: 0, matrix, rows: rows, columns: columns, format: scheme.format!,
        search: CK_SEARCH_FULL, importance: $0)
    }
    #expect(results[0] == results[1])
    let zeros = results[0].values[columns..<2 * columns].allSatisfy { Float(bitPattern: $0) == 0 }
    #expect(zeros)
  }

  /// The error that weights count falls where they say so.
  @Test(arguments: schemes)
  func importanceMovesTheError(scheme: Scheme) {
    let (rows, columns) = (32, 512)
    let matrix = normalValues(rows * columns, seed: 21)
    let importance = (0..<columns).map { Float($0 % 4 == 0 ? 100 : 1) }
    let errors = [nil, importance].map { weights in
      let result = Self.run(
        twin: 0, matrix, rows: rows, columns: columns, format: scheme.format!,
        search: CK_SEARCH_FULL, importance: weights)
      return matrix.indices.reduce(0.0) { sum, index in
        let error = Double(matrix[index]) - Double(Float(bitPattern: result.values[index]))
        return sum + Double(importance[index % columns]) * error * error
      }
    }
    #expect(errors[1] < 0.8 * errors[0])
  }
}
