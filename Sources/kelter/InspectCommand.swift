import ArgumentParser
import Conversion
import Foundation
import SystemPackage
import Validation

struct InspectCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what is in a checkpoint or a .kelter file: family, layers, experts, sizes.")

  @Argument(help: "A checkpoint folder, one weight file, or a .kelter file.")
  var path: FilePath

  @Option(help: "Take this family, whatever the config says.")
  var family: String?

  @OptionGroup var output: OutputOptions

  func run() throws {
    let inspection = try Inspection(path: path, family: family)
    try show(inspection) { Self.text(inspection) }
  }

  static func text(_ inspection: Inspection) -> String {
    var text = ""
    func line(_ name: String, _ value: String) {
      text += (name.padding(toColumn: 12) + value)
        .wrapped(toColumn: TextTable.terminalWidth, indent: 12)
    }
    line(inspection.scheme == nil ? "checkpoint" : "file", inspection.name)
    if let scheme = inspection.scheme { line("scheme", scheme) }
    if let family = inspection.family {
      line("family", family + (inspection.modelType.map { " (\($0))" } ?? ""))
    }
    if let layers = inspection.layers {
      var parts: [String] = []
      if layers.dense > 0 { parts.append("\(layers.dense) dense") }
      if layers.mixtureOfExperts > 0 { parts.append("\(layers.mixtureOfExperts) MoE") }
      if layers.multiTokenPrediction > 0 {
        parts.append("plus \(layers.multiTokenPrediction) for multi-token prediction")
      }
      line("layers", "\(layers.total) (\(parts.joined(separator: ", ")))")
    }
    if let experts = inspection.experts {
      line(
        "experts",
        "\(experts.routed) a layer, \(experts.perToken) per token"
          + (experts.shared ? ", plus a shared one" : ""))
    }
    let parameters = inspection.parameters
    line(
      "parameters",
      Figures.count(parameters.total)
        + (parameters.activePerToken.flatMap {
          $0 == parameters.total ? nil : ", \(Figures.count($0)) active per token"
        } ?? ""))
    let all = inspection.encodings.reduce(0) { $0 + $1.parameters }
    // Names of plain types are one word.
    for part in inspection.encodings where part.name.contains(" ") {
      let share = Figures.fixed(100 * Double(part.parameters) / Double(max(1, all)), digits: 0)
      line("quantized", "\(share) % as \(part.name)")
    }
    let files = inspection.files.count
    line(
      "size",
      "\(Figures.bytes(inspection.bytes)) in \(files) file\(files == 1 ? "" : "s"),"
        + " \(inspection.tensors) tensors")
    text += "\n" + parts("stored as", inspection.encodings)
    if !inspection.roles.isEmpty { text += "\n" + parts("role", inspection.roles) }
    if !inspection.sizes.isEmpty {
      var table = TextTable([
        ("as .kelter", .left), ("size", .right), ("of now", .right),
        ("bits per quantized weight", .right),
      ])
      for size in inspection.sizes {
        table.add([
          size.scheme, Figures.bytes(size.bytes),
          Figures.fixed(100 * Double(size.bytes) / Double(max(1, inspection.bytes)), digits: 0)
            + " %",
          Figures.fixed(size.bitsPerWeight, digits: 3),
        ])
      }
      text += "\n" + table.text()
    }
    if !inspection.notes.isEmpty { text += "\n" }
    for note in inspection.notes {
      text += "note: \(note)".wrapped(toColumn: TextTable.terminalWidth, indent: 6)
    }
    return text
  }

  private static func parts(_ heading: String, _ parts: [Inspection.Part]) -> String {
    var table = TextTable([
      (heading, .left), ("tensors", .right), ("parameters", .right), ("size", .right),
    ])
    for part in parts {
      table.add([
        // The layout is told above.
        String(part.name.prefix { $0 != "(" }).trimmingCharacters(in: .whitespaces),
        "\(part.tensors)", Figures.count(part.parameters), Figures.bytes(part.bytes),
      ])
    }
    return table.text(width: TextTable.terminalWidth)
  }
}

extension String {
  /// The text in lines that end before a column where words allow it; all but the first begin with
  /// spaces.
  func wrapped(toColumn column: Int, indent: Int) -> String {
    var lines = [""]
    for word in split(separator: " ", omittingEmptySubsequences: false) {
      if lines[lines.count - 1].count + word.count >= column, !lines[lines.count - 1].isEmpty {
        lines.append(String(repeating: " ", count: indent) + word)
      } else {
        lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The text, filled with spaces up to a column.
  func padding(toColumn column: Int) -> String {
    self + String(repeating: " ", count: Swift.max(1, column - count))
  }
}
