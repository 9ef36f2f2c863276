import Bytes
import Checkpoints
import Container
import ModelFamilies
import Quantization
import SourceWeights
import SystemPackage
import Tensors

/// Compares the units of a container with their source.
final class VerifyingPass: MeasuringPass {
  private let units: [ConversionUnit]
  private let checkpoint: Checkpoint
  private let reader: ContainerReader
  /// Whether the container was made from weights that are NaN or infinite, knowingly.
  private let allowsNonFinite: Bool

  init(
    units: [ConversionUnit], checkpoint: Checkpoint, reader: ContainerReader,
    allowsNonFinite: Bool
  ) {
    self.units = units
    self.checkpoint = checkpoint
    self.reader = reader
    self.allowsNonFinite = allowsNonFinite
  }

  func process(
    unit: Int, observe: (_ weight: Int) -> TileObserver
  ) throws -> [ErrorStatistics] {
    try units[unit].weights.enumerated().map { index, weight in
      let (statistics, isIdentical) = try compare(weight, observe: observe(index))
      if statistics.nonFiniteCount > 0, !allowsNonFinite {
        throw ConversionError.nonFiniteWeight(
          tensor: weight.source.name, count: statistics.nonFiniteCount)
      }
      if weight.treatment == .copy, !isIdentical {
        throw ConversionError.differentTensors(
          container: reader.path.string,
          reason: "\(weight.source.name) keeps the source's bytes, and they differ")
      }
      return statistics
    }
  }

  func walk(_ weight: PlannedWeight, tiles: [Range<Int>], observe: TileObserver) throws {
    _ = try compare(weight, tiles: tiles, observe: observe)
  }

  func integers(of weight: PlannedWeight) throws -> [Int] {
    try checkpoint.integers(of: weight.source.primary)
  }

  /// Compares whole numbers, which are carried as they are.
  private func compareBytes(
    _ source: inout TileSource, of weight: PlannedWeight,
    with tensor: ContainedTensor
  ) throws {
    for rows in source.tiles {
      try Interruption.check()
      let bytes = try source.readBytes(rows)
      let rowByteCount = bytes.count / max(1, rows.count)
      let start = tensor.byteRange.lowerBound + rows.lowerBound * rowByteCount
      guard start + bytes.count <= tensor.byteRange.upperBound,
        try reader.file.bytes(in: start..<start + bytes.count) == bytes
      else {
        throw ConversionError.differentTensors(
          container: reader.path.string,
          reason: "\(weight.source.name) keeps the source's bytes, and they differ")
      }
    }
  }

  /// - Parameter tiles: the tiles to compare; nil for all.
  /// - Returns: the error, and whether what keeps its bytes has them, bit for bit.
  private func compare(
    _ weight: PlannedWeight, tiles: [Range<Int>]? = nil, observe: TileObserver
  ) throws -> (statistics: ErrorStatistics, isIdentical: Bool) {
    var source = TileSource(weight: weight, checkpoint: checkpoint, tiles: tiles)
    let tensor = try reader.tensor(of: weight)
    guard weight.isOfWeights else {
      try compareBytes(&source, of: weight, with: tensor)
      return (ErrorStatistics(), true)
    }
    var rowsOfTensor = try ContainedRows(tensor: tensor, reader: reader)
    var values = [Float](repeating: 0, count: source.capacity)
    var delivered = values
    var statistics = ErrorStatistics()
    var isIdentical = true
    for rows in source.tiles {
      try Interruption.check()
      try source.read(rows, into: &values)
      let count = rows.count * weight.shape.columns
      do {
        let original = values.span.extracting(first: count)
        var span = delivered.mutableSpan
        var tile = span.slice(0..<original.count)
        try rowsOfTensor.read(rows, into: &tile)
        statistics.add(
          reference: original, approximation: tile.span, columns: weight.shape.columns)
        if weight.treatment != .copy {
          statistics.clippedCount += rowsOfTensor.clippedCount(of: original, rows: rows)
        }
      }
      isIdentical =
        isIdentical && weight.treatment == .copy
        && (0..<count).allSatisfy { values[$0].bitPattern == delivered[$0].bitPattern }
      if statistics.nonFiniteCount > 0 { values.replaceNonFinite(by: delivered, count: count) }
      try observe(
        rows, values.span.extracting(first: count), delivered.span.extracting(first: count))
    }
    return (statistics, isIdentical)
  }
}
