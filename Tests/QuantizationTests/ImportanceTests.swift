import Quantization
import Tensors
import Testing

/// Searches that weigh the columns' errors.
@Suite struct ImportanceTests {
  static let columns = 256
  /// A few columns count a hundred times as much as others.
  static let importance = (0..<columns).map { $0 % 9 == 4 ? Float(100) : $0 % 5 == 0 ? 0 : 1 }
  static let searched = KernelTwinTests.formats.filter { $0.blockRows != nil }
  static let withTables = Scheme.allCases.compactMap(\.format).filter { $0.tableCount > 0 }

  static func quantize(
    _ values: [Float], rows: Int, format: QuantizationFormat, search: ScaleSearch,
    importance: [Float]?, columns: Int = columns
  ) -> QuantizedMatrix {
    QuantizedMatrix(
      values, rows: rows, columns: columns, format: format, search: search,
      importance: importance)
  }

  /// Σ w·(x − x̂)².
  static func error(of quantized: QuantizedMatrix, _ values: [Float]) -> Double {
    values.indices.reduce(0) { sum, i in
      let error = Double(values[i]) - Double(quantized.values[i])
      return sum + Double(importance[i % columns]) * error * error
    }
  }

  @Test(arguments: searched + withTables, [ScaleSearch.fast, .full])
  func weightedErrorFalls(format: QuantizationFormat, search: ScaleSearch) {
    let values = normalValues(128 * Self.columns, seed: 21)
    let plain = Self.quantize(
      values, rows: 128, format: format, search: search, importance: nil)
    let weighted = Self.quantize(
      values, rows: 128, format: format, search: search, importance: Self.importance)
    #expect(Self.error(of: weighted, values) < Self.error(of: plain, values))
  }

  /// Ones, and any multiple of them, choose as no importance does.
  @Test(arguments: searched + withTables, [1, 0x1p-100, 0x1p100, 0x1p-149, 0x1p127] as [Float])
  func onesChangeNothing(format: QuantizationFormat, weight: Float) {
    let values = normalValues(4 * Self.columns, seed: 22)
    let plain = Self.quantize(values, rows: 4, format: format, search: .full, importance: nil)
    let ones = [Float](repeating: weight, count: Self.columns)
    let weighted = Self.quantize(
      values, rows: 4, format: format, search: .full, importance: ones)
    #expect(plain == weighted)
  }

  /// Where no column counts, the scale is that of absmax.
  @Test(arguments: searched)
  func zeros(format: QuantizationFormat) {
    let values = normalValues(4 * Self.columns, seed: 23)
    let zeros = [Float](repeating: 0, count: Self.columns)
    let weighted = Self.quantize(
      values, rows: 4, format: format, search: .full, importance: zeros)
    let absmax = Self.quantize(values, rows: 4, format: format, search: .absmax, importance: nil)
    #expect(weighted == absmax)
  }

  /// No BFloat16 scale of the size that comes into question is much better, in Float64.
  @Test func fullSearchIsNearTheBest() {
    let (columns, rows) = (32, 64)
    let format = Scheme.int4G32.format!
    let importance = (0..<columns).map { Float(1 + $0 * $0 % 23) }
    let matrix = normalValues(rows * columns, seed: 24)
    let quantized = Self.quantize(
      matrix, rows: rows, format: format, search: .full, importance: importance,
      columns: columns)
    var (found, best) = (0.0, 0.0)
    for row in 0..<rows {
      let values = matrix[row * columns..<(row + 1) * columns].map(Double.init)
      let extreme = values.map(\.magnitude).max()!
      for column in 0..<columns {
        let error = values[column] - Double(quantized.values[row * columns + column])
        found += Double(importance[column]) * error * error
      }
      var least = Double.infinity
      for pattern in UInt16.min...UInt16.max {
        let scale = Double(Float(bitPattern: UInt32(pattern) << 16))
        guard abs(scale) > extreme / 12, abs(scale) < extreme / 4 else { continue }
        var error = 0.0
        for (value, weight) in zip(values, importance) {
          let code = min(max((value / scale).rounded(.toNearestOrEven), -8), 7)
          error += Double(weight) * (value - code * scale) * (value - code * scale)
        }
        least = min(least, error)
      }
      best += least
    }
    #expect(found >= best * 0.999_999)
    #expect(found <= best * 1.02)
  }

  @Test(arguments: KernelTwinTests.formats, [ScaleSearch.fast, .full])
  func twins(format: QuantizationFormat, search: ScaleSearch) {
    for columns in [1, 7, 32, 65, 129, 257] {
      let rows = KernelTwinTests.rows(columns: columns)
      let values = rows.flatMap { $0 }
      let importance = (0..<columns).map { $0 % 7 == 3 ? 0 : Float(1 + $0 % 11) * 0x1p-60 }
      let chosen = Self.quantize(
        values, rows: rows.count, format: format, search: search, importance: importance,
        columns: columns)
      let quantizer = Quantizer(
        format: format, columns: columns, search: search,
        summary: TensorSummary(
          of: values.span, rows: rows.count, columns: columns, kind: format.neededSummary),
        importance: importance)
      for result in KernelTwinTests.quantize(
        values, rows: rows.count, like: chosen, by: quantizer)
      {
        #expect(result.codes == chosen.codes)
        #expect(result.scales == chosen.scales)
        #expect(result.zeroPoints == chosen.zeroPoints)
      }
    }
  }
}
