import Bytes
import Container
import ModelFamilies
import Quantization
import Synchronization
import SystemPackage
import Validation

/// An output under way: its partial file, its journal, and what former runs have done of it.
struct ResumableOutput: Sendable {
  let writer: ContainerWriter
  let journal: Journal
  let watch: SourceWatch
  /// What need not be done again.
  let finished: FinishedWork
  /// The units whose extents are kept.
  let keptUnits: [UnitRecord]
  /// What the user should know: that the run goes on from another one, or cannot.
  let notice: String?

  /// Creates the partial file and the journal, or takes up those of a former run.
  /// - Throws: `ConversionError.cannotResume` if that run was asked for something else, `.foreign`
  ///   if no run has left what is there, `.tooLittleRoom`, and what creating the files throws.
  static func open(
    _ path: FilePath, plan: ConversionPlan, tokens: TokenIDs?, threads: Int,
    progress: ProgressHandler?
  ) throws -> ResumableOutput {
    try Journal.checkTakesNothing(path)
    let watch = try SourceWatch(plan.source.checkpoint)
    let header = try JournalHeader(plan: plan, tokens: tokens, watch: watch)
    let writer = try createWriter(path, plan: plan)
    let journal: Journal
    var begun: JournalHeader?
    do {
      journal = try Journal(of: path, header: header, isReplaced: plan.options.restart)
      begun = writer.isAdopted ? journal.begun : nil
      if let begun, let change = header.change(since: begun) {
        throw ConversionError.cannotResume(
          partial: writer.partialPath.string, change: change.sentence,
          isOfSource: change.isOfSource)
      }
    } catch {
      if writer.isAdopted { writer.keep() }
      throw error
    }
    func checkRoom() throws {
      try OutputRoom.check(
        for: plan.container.byteCount - writer.allocatedByteCount(), at: path)
    }
    if begun == header {
      do {
        // Before all that is there is read.
        try checkRoom()
        return try takeUp(
          writer: writer, journal: journal, watch: watch, plan: plan, tokens: tokens,
          threads: threads, progress: progress)
      } catch {
        throw keep(writer, after: error)
      }
    }
    let output = ResumableOutput(
      writer: writer, journal: journal, watch: watch, finished: FinishedWork(), keptUnits: [],
      notice: writer.isAdopted
        ? "\(writer.partialPath) has no legible journal: the conversion starts over" : nil)
    do {
      if writer.isAdopted { try writer.startOver() }
      try checkRoom()
      try journal.begin()
    } catch {
      output.discard()
      throw error
    }
    return output
  }

  /// Drops all that was written.
  func discard() {
    // As long as the partial file is locked, the journal is nobody else's.
    journal.remove()
    writer.discard()
  }

  /// Keeps what is done, if it is anything, after an error.
  /// - Returns: the error to throw.
  func end(after error: any Error) -> any Error {
    // The journal learns of it. Where that fails, there is an error already.
    try? writer.finishWriting()
    guard journal.isWorthKeeping else {
      discard()
      return error
    }
    return Self.keep(writer, after: error)
  }

  private static func keep(_ writer: ContainerWriter, after error: any Error) -> any Error {
    writer.keep()
    guard let error = error as? any KelterError else { return error }
    return ConversionError.kept(error, partial: writer.partialPath.string)
  }

  private static func createWriter(
    _ path: FilePath, plan: ConversionPlan
  ) throws -> ContainerWriter {
    do {
      return try ContainerWriter(
        path: path, plan: plan.container, replacing: plan.options.force,
        adopting: !plan.options.restart, check: Interruption.checkBeforeWriting)
    } catch ContainerError.file(.foreign(let path)) {
      throw ConversionError.foreign(path: path.string)
    } catch {
      if case ContainerError.file(.exists) = error { Journal.removeLeftovers(of: path) }
      throw error
    }
  }

  /// Reads the journal and checks the extents that it speaks of.
  private static func takeUp(
    writer: ContainerWriter, journal: Journal, watch: SourceWatch, plan: ConversionPlan,
    tokens: TokenIDs?, threads: Int, progress: ProgressHandler?
  ) throws -> ResumableOutput {
    try writer.resume()
    let (records, layers) = try journal.read(plan: plan)
    let stages = plan.stages(isMeasured: tokens != nil)
    var finished = FinishedWork()
    try finished.takeUp(layers, stages: stages, plan: plan, journal: journal, tokens: tokens?.ids)

    // The MLPs of a layer that is not finished must go through its probes once more.
    let firstUnmeasured = finished.firstUnmeasuredUnit
    let open = Set(
      stages.filter { $0.layer != nil && $0.units.lowerBound >= firstUnmeasured }.flatMap(\.units))
    let wanted = records.values.filter { record in
      (plan.units[record.unit].kind == .tensors || !open.contains(record.unit))
        && (plan.options.allowsNonFinite || record.statistics.allSatisfy { $0.nonFiniteCount == 0 })
    }.sorted { $0.unit < $1.unit }

    func byteCount(_ record: UnitRecord) -> Int {
      plan.container.byteRange(ofExtent: record.unit).count
    }
    let total = wanted.reduce(0) { $0 + byteCount($1) }
    let done = Atomic<Int>(0)
    let sound = Mutex(Set<Int>())
    try WorkerPool.forEach(count: wanted.count, threads: threads) { index in
      let record = wanted[index]
      let isSound = try writer.isSound(
        extent: record.unit, checksum: record.sums.checksum, check: { try Interruption.check() })
      if isSound { _ = sound.withLock { $0.insert(record.unit) } }
      let range = plan.container.byteRange(ofExtent: record.unit)
      let checked = done.wrappingAdd(range.count, ordering: .relaxed).newValue
      progress?(Progress(phase: "check", detail: "", done: checked, total: total))
    }

    let kept = sound.withLock { sound in wanted.filter { sound.contains($0.unit) } }
    for record in kept {
      writer.keepExtent(record.unit, sums: record.sums)
      finished.statistics[record.unit] = record.statistics
    }
    let damaged = wanted.count - kept.count
    return ResumableOutput(
      writer: writer, journal: journal, watch: watch, finished: finished, keptUnits: kept,
      notice: "goes on from \(writer.partialPath): \(kept.count) of \(plan.units.count) extents"
        + " are kept" + (damaged == 0 ? "" : ", \(damaged) more are damaged and made again"))
  }
}

extension FinishedWork {
  /// Takes the figures of the first layers, as far as the streams behind them are there.
  fileprivate mutating func takeUp(
    _ records: [Int: LayerRecord], stages: [ConversionPlan.Stage], plan: ConversionPlan,
    journal: Journal, tokens: [Int]?
  ) throws {
    guard let tokens else { return }
    var done: [(stage: ConversionPlan.Stage, record: LayerRecord)] = []
    for stage in stages {
      guard let layer = stage.layer else { continue }
      guard let record = records[stage.units.lowerBound], record.entry.layer == layer.index,
        (record.streams == nil) == layer.isMultiTokenPrediction
      else { break }
      done.append((stage, record))
    }
    while let last = done.lastIndex(where: { $0.record.streams != nil }) {
      streams = done[last].record.streams.flatMap { journal.streams(at: $0, tokens: tokens) }
      if streams != nil { break }
      done.removeSubrange(last...)
    }
    layers = done.map(\.record.entry)
    firstUnmeasuredUnit = done.last?.stage.units.upperBound ?? 0
  }
}
