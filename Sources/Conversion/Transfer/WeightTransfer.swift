import Bytes
import Checkpoints
import Container
import Quantization
import SourceWeights
import Tensors

/// Takes one weight from the source to the output, tile by tile: reads, quantizes, writes, and
/// measures what was lost.
struct WeightTransfer {
  let weight: PlannedWeight
  let checkpoint: Checkpoint
  let search: ScaleSearch
  /// The importance of columns, of all weights that have one.
  let importance: Importance?
  /// Where the bytes go; nil if only the delivered values are wanted.
  let extent: ExtentWriter?

  /// What a transfer found.
  struct Outcome {
    /// The error of the delivered values.
    var statistics: ErrorStatistics
    /// XXH3-64 of each of the source's tensors that was read whole, by name.
    var checksums: [String: UInt64]
  }

  /// - Parameters:
  ///   - tiles: the rows to go through; nil for all, as writing demands.
  ///   - observe: receives each tile, as the source has it and as the output has it.
  func run(tiles: [Range<Int>]? = nil, _ observe: TileObserver) throws -> Outcome {
    var source = TileSource(weight: weight, checkpoint: checkpoint, tiles: tiles)
    let statistics =
      switch weight.treatment {
      case .copy: try copy(&source, observe)
      case .round: try round(&source, observe)
      case .quantize(let format): try quantize(&source, to: format, observe)
      }
    return Outcome(statistics: statistics, checksums: try source.checksums())
  }

  /// Copies the source's codes, repacked where need be. They are decoded all the same, to find
  /// values that are not finite.
  private func copy(
    _ source: inout TileSource, _ observe: TileObserver
  ) throws -> ErrorStatistics {
    var statistics = ErrorStatistics()
    guard weight.isOfWeights else {
      for rows in source.tiles {
        try Interruption.check()
        let bytes = try source.readBytes(rows)
        try extent?.append(bytes)
      }
      return statistics
    }
    var values = [Float](repeating: 0, count: source.capacity)
    for rows in source.tiles {
      try Interruption.check()
      try source.read(rows, into: &values)
      let stored = source.storedRows
      try extent?.append(stored.rawSpan)
      let tile = values.span.extracting(first: rows.count * weight.shape.columns)
      statistics.add(reference: tile, approximation: tile, columns: weight.shape.columns)
      try observe(rows, tile, tile)
    }
    if case .quantized(let format) = weight.encoding, let extent {
      let planes = try source.planes()
      var scales = planes.scales
      if case .quantized(let own) = weight.source.encoding, own.scale != format.scale {
        scales = scales.widened(from: own.scale)
      }
      try append(scales, planes.zeroPoints, planes.globalScale, to: extent)
    }
    return statistics
  }

  /// Rounds to BFloat16.
  private func round(
    _ source: inout TileSource, _ observe: TileObserver
  ) throws -> ErrorStatistics {
    var statistics = ErrorStatistics()
    var values = [Float](repeating: 0, count: source.capacity)
    var delivered = values
    var bytes = [UInt8](repeating: 0, count: source.capacity * 2)
    for rows in source.tiles {
      try Interruption.check()
      try source.read(rows, into: &values)
      let tile = values.span.extracting(first: rows.count * weight.shape.columns)
      var byteSpan = bytes.mutableSpan
      var encoded = byteSpan.slice(0..<tile.count * 2)
      ElementConversion.encodeBF16(tile, into: &encoded)
      var deliveredSpan = delivered.mutableSpan
      var decoded = deliveredSpan.slice(0..<tile.count)
      ElementConversion.decode(encoded.span, as: .bf16, into: &decoded)
      statistics.add(
        reference: tile, approximation: decoded.span, columns: weight.shape.columns)
      try observe(rows, tile, decoded.span)
      try extent?.append(bytes.rawSpan.extracting(first: tile.count * 2))
    }
    return statistics
  }

  /// Quantizes. Codes are written tile by tile; the much smaller planes after them are held.
  private func quantize(
    _ source: inout TileSource, to format: QuantizationFormat, _ observe: TileObserver
  ) throws -> ErrorStatistics {
    let columns = weight.shape.columns
    let quantizer = Quantizer(
      format: format, columns: columns, search: search,
      summary: try source.summary(format.neededSummary),
      importance: try importance?.vector(of: weight.source.name))
    let layout = QuantizedLayout(format: format, rows: weight.shape.rows, columns: columns)
    var codes = [UInt8](repeating: 0, count: source.height * layout.codeRowByteCount)
    var scales = [UInt8](repeating: 0, count: layout.scales.count)
    var zeroPoints = [UInt8](repeating: 0, count: layout.zeroPoints.count)
    var values = [Float](repeating: 0, count: source.capacity)
    // Nobody asks for it without a gate.
    var delivered = observe.needsValues ? values : []
    var statistics = ErrorStatistics()

    for rows in source.tiles {
      try Interruption.check()
      try source.read(rows, into: &values)
      let count = rows.count * columns
      let part = layout.part(rows: rows)
      do {
        let tile = values.span.extracting(first: count)
        var codeSpan = codes.mutableSpan
        var tileCodes = codeSpan.slice(0..<part.codes.count)
        var scaleSpan = scales.mutableSpan
        var tileScales = scaleSpan.slice(part.scales)
        var zeroPointSpan = zeroPoints.mutableSpan
        var tileZeroPoints = zeroPointSpan.slice(part.zeroPoints)
        var deliveredSpan = delivered.mutableSpan
        var tileDelivered = deliveredSpan.slice(0..<(observe.needsValues ? count : 0))
        quantizer.quantize(
          tile, rows: rows.count, codes: &tileCodes, scales: &tileScales,
          zeroPoints: &tileZeroPoints, delivered: &tileDelivered, measuring: &statistics)
      }
      if statistics.nonFiniteCount > 0, observe.needsValues {
        values.replaceNonFinite(by: delivered, count: count)
      }
      try observe(
        rows, values.span.extracting(first: count), delivered.span.extracting(first: count))
      try extent?.append(codes.rawSpan.extracting(first: part.codes.count))
    }

    if let extent {
      try append(
        scales, zeroPoints, quantizer.globalScale, levels: quantizer.tables?.levels ?? [],
        to: extent)
    }
    return statistics
  }

  /// Writes the planes that follow the codes.
  private func append(
    _ scales: [UInt8], _ zeroPoints: [UInt8], _ globalScale: Float?, levels: [Int8] = [],
    to extent: ExtentWriter
  ) throws {
    var planes = [scales, zeroPoints]
    if let globalScale {
      var bytes: [UInt8] = []
      bytes.appendLittleEndian(globalScale.bitPattern)
      planes.append(bytes)
    }
    planes.append(levels.map { UInt8(bitPattern: $0) })
    for plane in planes where !plane.isEmpty {
      try extent.pad(toMultipleOf: QuantizedLayout.planeAlignment)
      try extent.append(plane)
    }
    try extent.pad(toMultipleOf: QuantizedLayout.planeAlignment)
  }
}

extension QuantizedLayout {
  /// The parts of the planes that belong to rows which start at a multiple of the quantizer's tile
  /// rows, each relative to its plane.
  func part(rows: Range<Int>) -> (codes: Range<Int>, scales: Range<Int>, zeroPoints: Range<Int>) {
    let blockRows = format.blockRows
    let scaleRows =
      blockRows.map { rows.lowerBound / $0..<(rows.upperBound + $0 - 1) / $0 } ?? 0..<1
    func bytes(_ rows: Range<Int>, _ rowByteCount: Int) -> Range<Int> {
      rows.lowerBound * rowByteCount..<rows.upperBound * rowByteCount
    }
    return (
      bytes(rows, codeRowByteCount), bytes(scaleRows, scaleRowByteCount),
      bytes(scaleRows, zeroPointRowByteCount)
    )
  }
}

extension [Float] {
  /// Takes the approximation for values that are NaN or infinite where it is finite, so that an
  /// output shows what becomes of all others.
  mutating func replaceNonFinite(by approximation: [Float], count: Int) {
    for index in 0..<count where !self[index].isFinite && approximation[index].isFinite {
      self[index] = approximation[index]
    }
  }
}

extension [UInt8] {
  /// Numbers of another type as Float32, which holds them exactly.
  fileprivate func widened(from dtype: DType) -> [UInt8] {
    var floats = [Float](repeating: 0, count: count * 8 / dtype.bitsPerElement)
    var floatSpan = floats.mutableSpan
    ElementConversion.decode(span, as: dtype, into: &floatSpan)
    var bytes = [UInt8](repeating: 0, count: 4 * floats.count)
    var byteSpan = bytes.mutableSpan
    ElementConversion.encodeF32(floats.span, into: &byteSpan)
    return bytes
  }
}
