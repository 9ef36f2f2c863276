import ArgumentParser
import Bytes
import Container
import Conversion
import Foundation
import Quantization
import SystemPackage
import Validation

struct VerifyCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check a .kelter file, and measure it against its source.",
    discussion: """
      Without --against: structure, checksums, and a scan for NaN, infinities and zero scales. \
      With it, also every weight and every layer, measured again from the file; over the budget, \
      the exit code is 1.
      """)

  @Argument(help: "A .kelter file.")
  var path: FilePath

  @Option(help: ArgumentHelp("The checkpoint it was made from.", valueName: "path"))
  var against: FilePath?

  @Option(help: "Take this family for the checkpoint, whatever its config says.")
  var family: String?

  @OptionGroup var measurement: MeasurementOptions

  @OptionGroup var output: OutputOptions

  /// What `--json` prints. formats/verify.schema.json describes it.
  struct Document: Encodable {
    var file: String
    var bytes: Int
    var sound: Bool
    var findings: [String]
    /// What the file was made to hold, and a reader should know.
    var notes: [String]
    /// With `--against`.
    var report: Report?
  }

  func validate() throws {
    guard against == nil else { return }
    let others = [("--report", measurement.report != nil), ("--family", family != nil)]
    if let name = measurement.ofLayers.first ?? others.first(where: \.1)?.0 {
      throw ValidationError("\(name) needs --against: nothing is measured without the source")
    }
  }

  func run() throws {
    let reader = try ContainerReader(named: path)
    // What the user named is looked at before a large file is read.
    let verification = try against.map { try prepare(reader, against: $0) }
    // From here on there is a file to clear away.
    Interruption.handleSignals()
    let reportFile = try measurement.report.map { try ReportFile($0) }
    let progress = ProgressLine(quiet: output.quiet)
    defer { progress.finish() }
    let threads = measurement.threading.threads ?? ProcessInfo.processInfo.activeProcessorCount
    let all = try ContainerVerifier.verify(reader, threads: threads) { done, total in
      try Interruption.check()
      progress.update(Progress(phase: "check", detail: "", done: done, total: total))
    }
    progress.finish()
    let findings = all.filter { !$0.isNote }
    var document = Document(
      file: path.string, bytes: reader.byteCount, sound: findings.isEmpty,
      findings: findings.map(\.description), notes: all.filter(\.isNote).map(\.description))
    if let first = findings.first {
      let failure = Failure.unsound(
        path: path.string, first: first.description, count: findings.count)
      try show(document) { document.findings.map { "\(path): \($0)\n" }.joined() }
      // The document has been printed, and there is to be no second one.
      guard output.json else { throw failure }
      Terminal.printError(failure)
      throw ExitCode(failure.kind.exitCode)
    }

    if let verification {
      let report = try verification.run { progress.update($0) }
      progress.finish()
      try reportFile?.publish(report)
      document.report = report
    }
    try show(document) {
      "sound   \(path), \(Figures.bytes(reader.byteCount)): structure, checksums and scales\n"
        + document.notes.map {
          "note    \($0)".wrapped(toColumn: TextTable.terminalWidth, indent: 8)
        }.joined()
        + (document.report.map { "\n" + ReportText.summary(of: $0, output: path.string) } ?? "")
    }
    if let report = document.report, !report.budget.passed { throw overBudget(report) }
  }

  private func prepare(_ reader: ContainerReader, against: FilePath) throws -> Verification {
    var options = ConversionOptions(scheme: .keep)
    try measurement.apply(to: &options)
    let source = try Source(path: against, family: family)
    try measurement.report.map { try source.checkIsNotPart($0) }
    return try Verification(reader: reader, source: source, options: options)
  }

  /// A file that is not sound.
  enum Failure: KelterError {
    case unsound(path: String, first: String, count: Int)

    var kind: FailureKind { .invalidInput }

    var description: String {
      switch self {
      case .unsound(let path, let first, let count):
        "\(path): \(first)" + (count > 1 ? ", and \(count - 1) more finding(s)" : "")
          + "; copy or convert it again"
      }
    }
  }
}
