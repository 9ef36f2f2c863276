import ArgumentParser
import Conversion
import SystemPackage
import Validation

struct PlanCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show every tensor's fate and the exact output size, without reading the weights.")

  @Argument(help: "A checkpoint folder, or one weight file.")
  var path: String

  @OptionGroup var schemeOptions: SchemeOptions

  @Flag(help: "List every tensor, not only the sums.")
  var tensors = false

  @OptionGroup var output: OutputOptions

  func run() throws {
    let source = try Source(path: FilePath(path), family: schemeOptions.family)
    let plan = try ConversionPlan(source: source, options: schemeOptions.conversionOptions())
    let document = PlanDocument(plan: plan)
    try show(document) { text(document) }
  }

  private func text(_ plan: PlanDocument) -> String {
    var text = "\(plan.family) to \(plan.scheme)\n\n"
    var table = TextTable([
      ("role", .left), ("tensors", .right), ("from", .left), ("to", .left), ("size", .right),
      ("becomes", .right),
    ])
    if tensors {
      for fate in plan.tensors {
        table.add([
          fate.name, fate.shape.map(String.init).joined(separator: "×"), fate.from,
          fate.treatment == "copy" ? "kept" : fate.to, Figures.bytes(fate.sourceBytes),
          Figures.bytes(fate.outputBytes),
        ])
      }
    } else {
      for row in plan.summaries() {
        table.add([
          row.role, "\(row.count)", row.from, row.scheme == "keep" ? "kept" : row.to,
          Figures.bytes(row.sourceBytes), Figures.bytes(row.outputBytes),
        ])
      }
    }
    text += table.text()
    text += "\nsource  \(Figures.bytes(plan.sourceBytes)) (\(plan.sourceBytes) bytes)\n"
    text += "output  \(Figures.bytes(plan.outputBytes)) (\(plan.outputBytes) bytes, exactly)"
    if let bits = plan.bitsPerWeight {
      text += ", \(Figures.fixed(bits, digits: 3)) bits per quantized weight"
    }
    text += ", \(Figures.fixed(plan.fileBitsPerWeight, digits: 3)) per weight of the file\n"
    for note in plan.notes { text += "\nnote: \(note)\n" }
    return text
  }
}
