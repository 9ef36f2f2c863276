import ArgumentParser
import Conversion
import SystemPackage
import Validation

struct InspectCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what is in a checkpoint or a .kelter file: family, layers, experts, sizes.")

  @Argument(help: "A checkpoint folder, one weight file, or a .kelter file.")
  var path: String

  @Option(help: "Take this family, whatever the config says.")
  var family: String?

  @OptionGroup var output: OutputOptions

  func run() throws {
    let inspection = try Inspection(path: FilePath(path), family: family)
    try show(inspection) { Self.text(inspection) }
  }

  static func text(_ inspection: Inspection) -> String {
    var text = ""
    func line(_ name: String, _ value: String) {
      text += name.padding(toColumn: 12) + value + "\n"
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
        + (parameters.activePerToken.map { ", \(Figures.count($0)) active per token" } ?? ""))
    line(
      "size",
      "\(Figures.bytes(inspection.bytes)) in \(inspection.files.count) file(s),"
        + " \(inspection.tensors) tensors")
    text += "\n" + parts("stored as", inspection.encodings)
    if !inspection.roles.isEmpty { text += "\n" + parts("role", inspection.roles) }
    if !inspection.sizes.isEmpty {
      var table = TextTable([
        ("as .kelter", .left), ("size", .right), ("bits per quantized weight", .right),
      ])
      for size in inspection.sizes {
        table.add([
          size.scheme, Figures.bytes(size.bytes), Figures.fixed(size.bitsPerWeight, digits: 3),
        ])
      }
      text += "\n" + table.text()
    }
    for note in inspection.notes { text += "\nnote: \(note)\n" }
    return text
  }

  private static func parts(_ heading: String, _ parts: [Inspection.Part]) -> String {
    var table = TextTable([
      (heading, .left), ("tensors", .right), ("parameters", .right), ("size", .right),
    ])
    for part in parts {
      table.add([
        part.name, "\(part.tensors)", Figures.count(part.parameters), Figures.bytes(part.bytes),
      ])
    }
    return table.text()
  }
}

extension String {
  /// The text, filled with spaces up to a column.
  func padding(toColumn column: Int) -> String {
    self + String(repeating: " ", count: Swift.max(1, column - count))
  }
}
