import FixtureSupport
import Quantization
import Tensors

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// `count` samples of a normal distribution. Source: Box and Muller, 1958.
func normalValues(_ count: Int, standardDeviation: Double = 0.02, seed: UInt64 = 0) -> [Float] {
  var generator = SeededGenerator(seed: seed)
  var values = [Float]()
  values.reserveCapacity(count + 1)
  while values.count < count {
    let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &generator))).squareRoot()
    let angle = 2 * Double.pi * Double.random(in: 0..<1, using: &generator)
    values.append(Float(standardDeviation * radius * cos(angle)))
    values.append(Float(standardDeviation * radius * sin(angle)))
  }
  values.removeLast(values.count - count)
  return values
}

/// A quantized matrix and its decoding.
struct QuantizedMatrix: Equatable {
  var codes: [UInt8]
  var scales: [UInt8]
  var zeroPoints: [UInt8]
  var globalScale: Float?
  var levels: [Int8]
  var values: [Float]

  /// Quantizes a matrix as one tile and decodes it.
  init(
    _ matrix: [Float], rows: Int, columns: Int, format: QuantizationFormat, search: ScaleSearch,
    importance: [Float]? = nil
  ) {
    let layout = QuantizedLayout(format: format, rows: rows, columns: columns)
    var codes = [UInt8](repeating: 0xAA, count: layout.codes.count)
    var scales = [UInt8](repeating: 0xAA, count: layout.scales.count)
    var zeroPoints = [UInt8](repeating: 0xAA, count: layout.zeroPoints.count)
    let summary = TensorSummary(
      of: matrix.span, rows: rows, columns: columns, kind: format.neededSummary)
    let quantizer = Quantizer(
      format: format, columns: columns, search: search, summary: summary,
      importance: importance)
    var codeSpan = codes.mutableSpan
    var scaleSpan = scales.mutableSpan
    var zeroPointSpan = zeroPoints.mutableSpan
    quantizer.quantize(
      matrix.span, rows: rows, codes: &codeSpan, scales: &scaleSpan, zeroPoints: &zeroPointSpan)
    self.init(
      codes: codes, scales: scales, zeroPoints: zeroPoints, globalScale: quantizer.globalScale,
      levels: quantizer.tables?.levels ?? [], rows: rows, columns: columns, format: format)
  }

  /// Decodes planes.
  init(
    codes: [UInt8], scales: [UInt8], zeroPoints: [UInt8] = [], globalScale: Float? = nil,
    levels: [Int8] = [], rows: Int, columns: Int, format: QuantizationFormat
  ) {
    var values = [Float](repeating: .nan, count: rows * columns)
    var span = values.mutableSpan
    let dequantizer = Dequantizer(
      format: format, columns: columns, globalScale: globalScale, levels: levels)
    dequantizer.dequantize(
      codes: codes.span, scales: scales.span, zeroPoints: zeroPoints.span, rows: rows, into: &span)
    self.codes = codes
    self.scales = scales
    self.zeroPoints = zeroPoints
    self.globalScale = globalScale
    self.levels = levels
    self.values = values
  }

  /// ‖x − x̂‖ / ‖x‖.
  func relativeError(of matrix: [Float]) -> Double {
    var statistics = ErrorStatistics()
    statistics.add(reference: matrix.span, approximation: values.span, columns: matrix.count)
    return statistics.relativeError
  }
}
