import Bytes
import Checkpoints
import Container
import ModelFamilies
import Quantization
import SourceWeights
import Synchronization
import Tensors

/// Quantizes and writes the units of a plan, and notes each in the journal.
final class ConvertingPass: MeasuringPass {
  private let plan: ConversionPlan
  private let writer: ContainerWriter
  private let journal: Journal
  private let watch: SourceWatch
  /// XXH3-64 of each of the source's tensors, by name.
  private let tensorChecksums = Mutex<[String: UInt64]>([:])

  init(plan: ConversionPlan, output: ResumableOutput) {
    self.plan = plan
    writer = output.writer
    journal = output.journal
    watch = output.watch
    for record in output.keptUnits { restore(record) }
  }

  func process(
    unit: Int, observe: (_ weight: Int) -> TileObserver
  ) throws -> [ErrorStatistics] {
    let extent = writer.extent(unit)
    var statistics: [ErrorStatistics] = []
    var unitChecksums: [String: UInt64] = [:]
    for (index, weight) in plan.units[unit].weights.enumerated() {
      try extent.pad(toMultipleOf: QuantizedLayout.planeAlignment)
      let outcome = try transfer(weight, to: extent).run(observe(index))
      if outcome.statistics.nonFiniteCount > 0, !plan.options.allowsNonFinite {
        throw ConversionError.nonFiniteWeight(
          tensor: weight.source.name, count: outcome.statistics.nonFiniteCount)
      }
      var checksums = outcome.checksums
      // A part is not its tensor.
      if weight.part != nil { checksums[weight.source.primary.name] = nil }
      unitChecksums.merge(checksums) { _, new in new }
      statistics.append(outcome.statistics)
    }
    try extent.finish()
    let checkpoint = plan.source.checkpoint
    let record = UnitRecord(
      unit: unit, sums: writer.sums(ofExtent: unit), statistics: statistics,
      tensorChecksums: Dictionary(
        uniqueKeysWithValues: unitChecksums.compactMap { name, checksum in
          checkpoint.position(of: name).map { ($0, checksum) }
        }))
    try checkSource(of: plan.units[unit].weights)
    // What the journal speaks of is in the file.
    try writer.afterWriting { [journal] () throws(BytesError) in try journal.append(record) }
    restore(record)
    return statistics
  }

  /// Takes what is known of a unit whose extent is written.
  private func restore(_ record: UnitRecord) {
    for (index, weight) in plan.units[record.unit].weights.enumerated() where weight.isQuantized {
      writer.setErrorRecord(
        ErrorRecord(record.statistics[index]), ofTensor: index, inExtent: record.unit)
    }
    let tensors = plan.source.checkpoint.tensors
    tensorChecksums.withLock { checksums in
      for (tensor, checksum) in record.tensorChecksums {
        checksums[tensors[tensor].name] = checksum
      }
    }
  }

  /// What was read from a file that changed meanwhile must not get into the journal: the file may
  /// be put back. Comes after reading.
  private func checkSource(of weights: [PlannedWeight]) throws(ConversionError) {
    let tensors = weights.flatMap { [$0.source.primary] + $0.source.companions }
    try watch.check(Set(tensors.map(\.fileIndex)))
  }

  func walk(_ weight: PlannedWeight, tiles: [Range<Int>], observe: TileObserver) throws {
    _ = try transfer(weight, to: nil).run(tiles: tiles, observe)
    try checkSource(of: [weight])
  }

  func integers(of weight: PlannedWeight) throws -> [Int] {
    let integers = try plan.source.checkpoint.integers(of: weight.source.primary)
    try checkSource(of: [weight])
    return integers
  }

  private func transfer(_ weight: PlannedWeight, to extent: ExtentWriter?) -> WeightTransfer {
    WeightTransfer(
      weight: weight, checkpoint: plan.source.checkpoint, search: plan.options.search,
      importance: plan.options.importance,
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
