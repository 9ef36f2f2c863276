import Quantization
import ReferenceModel
import Tensors
import Testing
import Validation

/// What the default budget takes for a scheme's usual error, measured again.
@Suite struct SchemeErrorTests {
  static let rows = 128
  static let columns = 4096
  static let weights = Matrix.seededNormal(
    rows: rows, columns: columns, rootMeanSquare: 0.02, seed: 0)

  @Test(arguments: Scheme.allCases)
  func errorOnNormalWeights(scheme: Scheme) throws {
    let measured = try Self.relativeError(scheme)
    let stated = scheme.relativeErrorOnNormalWeights
    #expect(abs(stated - measured) <= 0.01 * measured, "measured \(measured), stated \(stated)")
  }

  static func relativeError(_ scheme: Scheme) throws -> Double {
    let values = weights.values
    var delivered = values
    if scheme == .bf16 {
      var bytes = [UInt8](repeating: 0, count: 2 * values.count)
      var byteSpan = bytes.mutableSpan
      ElementConversion.encodeBF16(values.span, into: &byteSpan)
      var span = delivered.mutableSpan
      ElementConversion.decode(bytes.span, as: .bf16, into: &span)
    } else if let format = scheme.format {
      let layout = QuantizedLayout(format: format, rows: rows, columns: columns)
      var codes = [UInt8](repeating: 0, count: layout.codes.count)
      var scales = [UInt8](repeating: 0, count: layout.scales.count)
      var zeroPoints = [UInt8](repeating: 0, count: layout.zeroPoints.count)
      var codeSpan = codes.mutableSpan
      var scaleSpan = scales.mutableSpan
      var zeroPointSpan = zeroPoints.mutableSpan
      let summary = TensorSummary(
        of: values.span, rows: rows, columns: columns, kind: format.neededSummary)
      let quantizer = Quantizer(format: format, columns: columns, search: .full, summary: summary)
      quantizer.quantize(
        values.span, rows: rows, codes: &codeSpan, scales: &scaleSpan, zeroPoints: &zeroPointSpan)
      var span = delivered.mutableSpan
      let dequantizer = Dequantizer(
        format: format, columns: columns, globalScale: quantizer.globalScale,
        levels: quantizer.tables?.levels ?? [])
      dequantizer.dequantize(
        codes: codes.span, scales: scales.span, zeroPoints: zeroPoints.span, rows: rows,
        into: &span)
    }
    var statistics = ErrorStatistics()
    statistics.add(reference: values.span, approximation: delivered.span, columns: columns)
    return statistics.relativeError
  }
}
