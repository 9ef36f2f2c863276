import ArgumentParser
import Bytes
import Foundation
import SystemPackage
import Validation

/// What every command takes.
struct OutputOptions: ParsableArguments {
  @Flag(name: .long, help: "Print exactly one JSON document on stdout.")
  var json = false

  @Flag(name: .long, help: "Print no progress and no summary.")
  var quiet = false
}

/// What commands take that work with several threads.
struct ThreadOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The number of threads; without it, one per core.", valueName: "n"))
  var threads: Int?

  func validate() throws {
    guard threads.map({ (1...1024).contains($0) }) ?? true else {
      throw ValidationError("--threads must be 1 to 1024")
    }
  }
}

/// What `pack` and `unpack` take.
struct ArchiveOptions: ParsableArguments {
  @Option(
    name: [.short, .customLong("output")],
    help: "The file to write; without it, PATH, to which pack adds .zst and unpack takes it off.")
  var out: FilePath?

  @OptionGroup var threading: ThreadOptions

  @Flag(help: "Replace an output that exists.")
  var force = false
}

/// A command with `--json` and `--quiet`.
protocol ReportingCommand: ParsableCommand {
  var output: OutputOptions { get }
}

extension ReportingCommand {
  /// Prints a document where `--json` asks for it, else text unless `--quiet` forbids it.
  func show(_ document: some Encodable, text: () -> String) throws {
    if output.json {
      try Terminal.printJSON(document)
    } else if !output.quiet {
      try Terminal.print(text())
    }
  }
}

extension ReportingCommand {
  /// The exit code of a loss over the budget. Where nothing else is printed, a line tells it.
  func overBudget(_ report: Report) -> ExitCode {
    if output.quiet {
      let violations = report.budget.violations
      Terminal.printError(
        "kelter: \(violations.count) figure(s) are over the budget, the first of them:"
          + " \(violations[0].sentence)")
    }
    return ExitCode(1)
  }
}

/// stdout and stderr.
enum Terminal {
  /// - Throws: `Failure`, where stdout is a file on a full disk, or closed.
  static func print(_ text: String) throws {
    do {
      try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    } catch {
      throw Failure.cannotPrint
    }
  }

  /// Prints a line on stderr, if that can be.
  static func printError(_ line: String) {
    try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
  }

  enum Failure: KelterError {
    case cannotPrint

    var kind: FailureKind { .inputOutput }
    var description: String { "stdout: writing failed; the disk may be full" }
  }

  /// Prints an error as one line on stderr.
  static func printError(_ error: any KelterError) {
    printError("kelter: error: " + error.description.onOneLine)
  }

  /// - Throws: `Failure`.
  static func printJSON(_ document: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    // Documents hold no number that JSON cannot: figures that may not be finite are optional.
    guard let data = try? encoder.encode(document) else { throw Failure.cannotPrint }
    try print(String(decoding: data, as: UTF8.self) + "\n")
  }
}

extension String {
  /// The text as it may be printed in one line: names come from files, and a control character in
  /// one could end the line or command the terminal.
  var onOneLine: String {
    var line = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "\n", "\r", "\u{2028}", "\u{2029}": line += " "
      case _ where scalar.properties.generalCategory == .control:
        line += "\\u{" + String(scalar.value, radix: 16) + "}"
      default: line.unicodeScalars.append(scalar)
      }
    }
    return line
  }
}
