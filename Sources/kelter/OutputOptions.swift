import ArgumentParser
import Bytes
import Foundation

/// What every command takes.
struct OutputOptions: ParsableArguments {
  @Flag(name: .long, help: "Print exactly one JSON document on stdout.")
  var json = false

  @Flag(name: .long, help: "Print no progress and no summary.")
  var quiet = false
}

/// A command with `--json` and `--quiet`.
protocol ReportingCommand: ParsableCommand {
  var output: OutputOptions { get }
}

extension ReportingCommand {
  /// Prints a document where `--json` asks for it, else text unless `--quiet` forbids it.
  func show(_ document: some Encodable, text: () -> String) {
    if output.json {
      Terminal.printJSON(document)
    } else if !output.quiet {
      Terminal.print(text())
    }
  }
}

/// stdout and stderr.
enum Terminal {
  static func print(_ text: String) {
    FileHandle.standardOutput.write(Data(text.utf8))
  }

  static func printError(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }

  /// Prints an error as one line on stderr.
  static func printError(_ error: any KelterError) {
    printError("kelter: error: " + error.description.split(separator: "\n").joined(separator: " "))
  }

  static func printJSON(_ document: some Encodable) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    // Documents hold no number that JSON cannot: figures that may not be finite are optional.
    guard let data = try? encoder.encode(document) else { return }
    print(String(decoding: data, as: UTF8.self) + "\n")
  }
}
