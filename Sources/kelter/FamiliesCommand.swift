import ArgumentParser
import ModelFamilies

struct FamiliesCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "families",
    abstract: "List the families of models that are understood, and what of each is measured.")

  @Flag(help: "Print a table in Markdown.")
  var markdown = false

  @OptionGroup var output: OutputOptions

  /// What `--json` prints. formats/families.schema.json describes it.
  struct Document: Encodable {
    var families: [FamilySummary]
  }

  func run() throws {
    let document = Document(families: ModelFamily.all.map(\.summary))
    try show(document) {
      markdown ? Self.markdown(document.families) : Self.text(document.families)
    }
  }

  static func text(_ families: [FamilySummary]) -> String {
    families.map { family in
      var text = family.name + "\n"
      func line(_ name: String, _ value: String) {
        text += "  "
        text += (name.padding(toColumn: 14) + value)
          .wrapped(toColumn: TextTable.terminalWidth - 2, indent: 16)
      }
      line("models", family.models.joined(separator: ", "))
      line("model_type", family.modelTypes.joined(separator: ", "))
      line("router", family.router ?? "none: dense")
      line("measured", family.measured.joined(separator: ", "))
      line("not measured", family.notMeasured.joined(separator: ", "))
      return text
    }.joined(separator: "\n")
  }

  static func markdown(_ families: [FamilySummary]) -> String {
    let rows = families.map { family in
      [
        family.name, family.models.joined(separator: ", "), family.router ?? "dense",
        family.measured.joined(separator: ", "), family.notMeasured.joined(separator: ", "),
      ].map { $0.markingKeys() }
    }
    let heading = ["family", "models", "router", "measured", "not measured"]
    let rule = heading.map { _ in "---" }
    return ([heading, rule] + rows).map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
  }
}

extension String {
  /// The text with config keys, which hold underscores, as code.
  fileprivate func markingKeys() -> String {
    split(separator: ", ", omittingEmptySubsequences: false).map { step in
      step.split(separator: " ").map { $0.contains("_") ? "`\($0)`" : "\($0)" }
        .joined(separator: " ")
    }.joined(separator: ", ")
  }
}
