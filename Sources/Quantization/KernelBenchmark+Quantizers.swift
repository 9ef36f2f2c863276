import Tensors

extension KernelBenchmark {
  /// All that is timed, in the order in which it is told.
  var kernels: [Kernel] {
    let schemes = Scheme.allCases.filter { $0.format != nil }
    var kernels = [
      decoding(.f8E4M3, "FP8 to F32", leastRatio: 0.4),
      decoding(.bf16, "BF16 to F32", leastRatio: 0.6),
      decoding(.f16, "F16 to F32"), decoding(.f8E5M2, "E5M2 to F32"), checksum,
    ]
    kernels += schemes.map(dequantizing)
    kernels += [measuring, multiplying]
    for scheme in schemes {
      kernels.append(quantizing(scheme, .absmax, isMeasured: false))
      kernels.append(quantizing(scheme, .absmax))
    }
    kernels.append(quantizing(.lut4G16, .fast))
    return kernels + schemes.map { quantizing($0, .full) }
  }

  /// What quantizers write.
  private final class Planes {
    var codes: [UInt8] = []
    var scales: [UInt8] = []
    var zeroPoints: [UInt8] = []
  }

  private func quantizing(
    _ scheme: Scheme, _ search: ScaleSearch, isMeasured: Bool = true
  ) -> Kernel {
    guard let format = scheme.format else { preconditionFailure("\(scheme) has no codes") }
    // As many rows as conversions take, or a row of blocks.
    let rows = max(Self.quantizedCount / Self.columns, format.tileRowMultiple)
    let count = rows * Self.columns
    let layout = QuantizedLayout(format: format, rows: rows, columns: Self.columns)
    let planes = Planes()
    planes.codes = [UInt8](repeating: 0, count: layout.codes.count)
    planes.scales = [UInt8](repeating: 0, count: layout.scales.count)
    planes.zeroPoints = [UInt8](repeating: 0, count: layout.zeroPoints.count)
    let sums = Sums()
    let quantizer = Quantizer(
      format: format, columns: Self.columns, search: search,
      summary: TensorSummary(
        of: values.span.extracting(first: 128 * Self.columns), rows: 128, columns: Self.columns,
        kind: format.neededSummary))
    let isInt4 = format.code == .int4 || format.code == .uint4
    return Kernel(
      name: "\(search.rawValue) \(scheme.rawValue)" + (isMeasured ? ", measured" : ""),
      pieceByteCount: 4 * count, pieceWeightCount: count,
      pieceCount: Self.sourceByteCount / (4 * count),
      leastRatioToMemcpy: isInt4 && search == .absmax && !isMeasured ? 0.3 : nil
    ) { piece in
      let source = values.span.extracting(piece * count..<(piece + 1) * count)
      // Taken out and put back, because no span of them may outlive an access to a class.
      var (codes, scales, zeroPoints) = (planes.codes, planes.scales, planes.zeroPoints)
      (planes.codes, planes.scales, planes.zeroPoints) = ([], [], [])
      var codeSpan = codes.mutableSpan
      var scaleSpan = scales.mutableSpan
      var zeroPointSpan = zeroPoints.mutableSpan
      if isMeasured {
        var delivered = MutableSpan<Float>()
        quantizer.quantize(
          source, rows: rows, codes: &codeSpan, scales: &scaleSpan, zeroPoints: &zeroPointSpan,
          delivered: &delivered, measuring: &sums.statistics)
      } else {
        quantizer.quantize(
          source, rows: rows, codes: &codeSpan, scales: &scaleSpan, zeroPoints: &zeroPointSpan)
      }
      (planes.codes, planes.scales, planes.zeroPoints) = (codes, scales, zeroPoints)
    }
  }
}
