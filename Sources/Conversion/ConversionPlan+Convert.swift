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
  /// The report is written beside the output, whatever the verdict. Over the budget, nothing appears
  /// under the output's name.
  ///
  /// - Parameters:
  ///   - path: the file to write; the report goes to `reportPath(of: path)`.
  ///   - progress: is called now and then, from any thread.
  /// - Returns: what was measured; `budget.passed` says whether the file was published.
  public func convert(
    to path: FilePath, progress: ProgressHandler? = nil
  ) throws -> Report {
    let tokens = try TokenIDs.measured(options: options, description: source.description)
    let threads = try MemoryPlan(
      units: units, options: options, tokenCount: tokens?.ids.count ?? 0
    ).threads

    try source.checkIsNotPart(path)
    try source.checkIsNotPart(Self.reportPath(of: path))
    let writer = try ContainerWriter(path: path, plan: container, replacing: options.force)
    do {
      // Created before a long run, which would be for nothing if it could not be.
      let reportFile = try AtomicFile(path: Self.reportPath(of: path), replacing: true)
      try OutputRoom.check(for: container.byteCount, at: path)
      let pass = ConvertingPass(plan: self, writer: writer)
      let outcome = try MeasuredRun(
        source: source, units: units, pass: pass, phase: "convert", tokens: tokens?.ids,
        seed: options.seed, threads: threads, progress: progress
      ).run()
      try writer.writeFiles { file in try source.sideFileBytes(named: file.name) }

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
      // Both are on the disk before either gets its name.
      try reportFile.write(Array(report.json().utf8).rawSpan, at: 0)
      if report.budget.passed {
        try Interruption.check()
        try writer.publish()
      } else {
        writer.discard()
      }
      try reportFile.publish()
      return report
    } catch {
      writer.discard()
      throw error
    }
  }

  /// Where the report of an output lies: `v3.report.json` beside `v3.kelter`.
  public static func reportPath(of path: FilePath) -> FilePath {
    var name = path.lastComponent?.string ?? ""
    if name.hasSuffix(".kelter") { name.removeLast(".kelter".count) }
    return path.removingLastComponent().appending(name + ".report.json")
  }
}
