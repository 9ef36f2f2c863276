import Bytes
import Checkpoints
import Container
import ModelFamilies
import Quantization
import SourceWeights
import Synchronization
import Tensors

/// Quantizes and writes the units of a plan.
final class ConvertingPass: MeasuringPass {
  private let plan: ConversionPlan
  private let writer: ContainerWriter
  /// XXH3-64 of each of the source's tensors, by name.
  private let tensorChecksums = Mutex<[String: UInt64]>([:])

  init(plan: ConversionPlan, writer: ContainerWriter) {
    self.plan = plan
    self.writer = writer
  }

  func process(
    unit: Int, observe: (_ weight: Int) -> TileObserver
  ) throws -> [ErrorStatistics] {
    let extent = writer.extent(unit)
    var statistics: [ErrorStatistics] = []
    for (index, weight) in plan.units[unit].weights.enumerated() {
      try extent.pad(toMultipleOf: QuantizedLayout.planeAlignment)
      let outcome = try transfer(weight, to: extent).run(observe(index))
      if outcome.statistics.nonFiniteCount > 0, !plan.options.allowsNonFinite {
        throw ConversionError.nonFiniteWeight(
          tensor: weight.source.name, count: outcome.statistics.nonFiniteCount)
      }
      if weight.isQuantized {
        writer.setErrorRecord(
          ErrorRecord(outcome.statistics), ofTensor: index, inExtent: unit)
      }
      var checksums = outcome.checksums
      // A part is not its tensor.
      if weight.part != nil { checksums[weight.source.primary.name] = nil }
      tensorChecksums.withLock { $0.merge(checksums) { _, new in new } }
      statistics.append(outcome.statistics)
    }
    try extent.finish()
    return statistics
  }

  func walk(_ weight: PlannedWeight, tiles: [Range<Int>], observe: TileObserver) throws {
    _ = try transfer(weight, to: nil).run(tiles: tiles, observe)
  }

  func integers(of weight: PlannedWeight) throws -> [Int] {
    try plan.source.checkpoint.integers(of: weight.source.primary)
  }

  private func transfer(_ weight: PlannedWeight, to extent: ExtentWriter?) -> WeightTransfer {
    WeightTransfer(
      weight: weight, checkpoint: plan.source.checkpoint, search: plan.options.search,
      extent: extent)
  }

  /// The checksum of each source file, in the order of `checkpoint.files`; nil for a file of
  /// which a tensor was not read as a whole.
  func fileChecksums() throws -> [UInt64?] {
    let checkpoint = plan.source.checkpoint
    var checksums = tensorChecksums.withLock { $0 }
    // No weight reads these.
    for scale in plan.source.weights.activationScales {
      let bytes = try checkpoint.bytes(of: scale)
      checksums[scale.name] = Checksum.of(bytes.rawSpan)
    }
    return checkpoint.contentChecksums(ofTensors: checksums)
  }
}

extension ErrorRecord {
  /// The figures of a weight, as they are stored in the container.
  init(_ statistics: ErrorStatistics) {
    self.init(
      relativeError: statistics.relativeError,
      signalToQuantizationNoise: statistics.signalToQuantizationNoise,
      maximumAbsoluteError: statistics.maximumAbsoluteError,
      zeroedShare: statistics.zeroedShare, clippedShare: statistics.clippedShare,
      nonFiniteCount: UInt64(statistics.nonFiniteCount))
  }
}

extension ErrorStatistics {
  /// The share of weights that became 0 and were not.
  var zeroedShare: Double { count == 0 ? 0 : Double(zeroedCount) / Double(count) }
  /// The share of weights beyond what their block can represent.
  var clippedShare: Double { count == 0 ? 0 : Double(clippedCount) / Double(count) }
}
