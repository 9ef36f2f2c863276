import Tensors

extension KernelBenchmark {
  func decoding(_ dtype: DType, _ name: String, leastRatio: Double? = nil) -> Kernel {
    let tile = Tile<Float>(count: Self.decodedCount)
    let byteCount = Self.decodedCount * dtype.bitsPerElement / 8
    return Kernel(
      name: name, pieceByteCount: byteCount, pieceWeightCount: Self.decodedCount,
      pieceCount: Self.sourceByteCount / byteCount, leastRatioToMemcpy: leastRatio
    ) { piece in
      tile.lend { values in
        ElementConversion.decode(
          bytes.span.extracting(piece * byteCount..<(piece + 1) * byteCount), as: dtype,
          into: &values)
      }
    }
  }

  static func dequantizerName(_ scheme: Scheme) -> String { "dequantize \(scheme.rawValue)" }

  /// Codes, scales and zero points are all read from end to end.
  func dequantizing(_ scheme: Scheme) -> Kernel {
    guard let format = scheme.format else { preconditionFailure("\(scheme) has no codes") }
    let tile = Tile<Float>(count: Self.decodedCount)
    let rows = Self.decodedCount / Self.columns
    let layout = QuantizedLayout(format: format, rows: rows, columns: Self.columns)
    let counts = (
      codes: layout.codes.count, scales: layout.scales.count, zeroPoints: layout.zeroPoints.count
    )
    let levelCount = format.code.levelCount ?? 0
    let levels = (0..<format.tableCount * levelCount).map {
      Int8(truncatingIfNeeded: (2 * ($0 % levelCount) - levelCount + 1) * 8)
    }
    let dequantizer = Dequantizer(
      format: format, columns: Self.columns, globalScale: 1, levels: levels)
    let isInt4 = format.code == .int4 || format.code == .uint4
    return Kernel(
      name: Self.dequantizerName(scheme),
      pieceByteCount: counts.codes + counts.scales + counts.zeroPoints,
      pieceWeightCount: Self.decodedCount,
      pieceCount: Self.sourceByteCount / counts.codes, leastRatioToMemcpy: isInt4 ? 0.3 : nil,
      mostTimesInt4: format.tableCount > 0 ? 1.5 : nil
    ) { piece in
      func part(_ count: Int) -> Range<Int> { piece * count..<(piece + 1) * count }
      let zeroPoints = scales.span.extracting(droppingFirst: scales.count / 2)
      tile.lend { values in
        dequantizer.dequantize(
          codes: bytes.span.extracting(part(counts.codes)),
          scales: scales.span.extracting(part(counts.scales)),
          zeroPoints: zeroPoints.extracting(part(counts.zeroPoints)), rows: rows, into: &values)
      }
    }
  }
}
