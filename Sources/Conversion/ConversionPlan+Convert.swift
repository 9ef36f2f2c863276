import Bytes
import Container
import ModelFamilies
import Quantization
import ReferenceModel
public import SystemPackage
public import Validation

extension ConversionPlan {
  /// Quantizes, measures, publishes: the whole way from a plan to a file and its report.
  ///
  /// The report is written beside the output, whatever the verdict. Over the budget, nothing
  /// appears under the output's name. A run that ends before its time, by whatever cause, leaves a
  /// partial file and a journal beside it, from which the same call goes on.
  ///
  /// - Parameters:
  ///   - path: the file to write; the report goes to `reportPath(of: path)`.
  ///   - progress: is called now and then, from any thread.
  ///   - notice: is told, in one line, what a former run has left.
  /// - Returns: what was measured; `budget.passed` says whether the file was published.
  /// - Throws: `ConversionError.kept` around any error after which there is something to go on
  ///   from.
  public func convert(
    to path: FilePath, progress: ProgressHandler? = nil, notice: ((String) -> Void)? = nil
  ) throws -> Report {
    let tokens = try TokenIDs.measured(options: options, description: source.description)
    let threads = try MemoryPlan(
      source: source, units: units, options: options, tokenCount: tokens?.ids.count ?? 0
    ).threads

    try source.checkIsNotPart(path)
    try source.checkIsNotPart(Self.reportPath(of: path))
    let output = try ResumableOutput.open(
      path, plan: self, tokens: tokens, threads: threads, progress: progress)
    output.notice.map { notice?($0) }
    do {
      // Created before a long run, which would be for nothing if it could not be.
      let reportFile = try AtomicFile(path: Self.reportPath(of: path), replacing: true)
      let report = try run(output, tokens: tokens, threads: threads, progress: progress)
      try reportFile.write(Array(report.json().utf8).rawSpan, at: 0)
      guard report.budget.passed else {
        try reportFile.publish()
        output.discard()
        return report
      }
      try output.writer.seal()
      try Interruption.check()
      try output.watch.check()
      // The report comes first: where the output is, its report is too.
      try reportFile.publish()
      try output.writer.publish()
      output.journal.remove()
      return report
    } catch {
      throw output.end(after: error)
    }
  }

  /// Does what is left to do, up to the report.
  private func run(
    _ output: ResumableOutput, tokens: TokenIDs?, threads: Int, progress: ProgressHandler?
  ) throws -> Report {
    let writer = output.writer
    let pass = ConvertingPass(plan: self, output: output)
    let outcome = try MeasuredRun(
      source: source, units: units, pass: pass, phase: "convert", tokens: tokens?.ids,
      seed: options.seed, threads: threads, progress: progress, journal: output.journal,
      finished: output.finished
    ).run()
    try writer.writeFiles { file in
      let bytes = Result { try source.sideFileBytes(named: file.name) }
      // A file that is gone or of another size has changed, which is told in these words.
      try output.watch.check()
      return try bytes.get()
    }

    let checksums = try pass.fileChecksums()
    for (index, file) in container.sources.enumerated() {
      if let place = source.fileIndex(named: file.name), let checksum = checksums[place] {
        writer.setContentChecksum(checksum, ofSource: index)
      }
    }
    var report = Report(
      source: source, options: options, units: units, outcome: outcome,
      bytes: .init(
        source: source.byteCount, output: container.byteCount, bitsPerWeight: bitsPerWeight,
        fileBitsPerWeight: fileBitsPerWeight),
      tokens: tokens, fileChecksums: checksums, notes: notes(after: outcome))
    if !report.budget.passed { report.notes.append("over the budget, so nothing was published") }
    return report
  }

  /// Where the report of an output lies: `v3.report.json` beside `v3.kelter`.
  public static func reportPath(of path: FilePath) -> FilePath {
    var name = path.lastComponent?.string ?? ""
    if name.hasSuffix(".kelter") { name.removeLast(".kelter".count) }
    return path.removingLastComponent().appending(name + ".report.json")
  }
}
