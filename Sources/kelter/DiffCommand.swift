import ArgumentParser
import Conversion
import SystemPackage
import Validation

struct DiffCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compare two .kelter files or two reports: what got better, what got worse.",
    discussion: "A .kelter file has the errors of its weights; a .json report has all figures.")

  @Argument(help: "A .kelter file or a .json report.")
  var a: FilePath

  @Argument(help: "Another one.")
  var b: FilePath

  @Option(help: ArgumentHelp("Show this many of the largest changes.", valueName: "n"))
  var top = 10

  @OptionGroup var output: OutputOptions

  func run() throws {
    let comparison = try Comparison(a, b)
    try show(comparison) { text(comparison) }
  }

  private func text(_ comparison: Comparison) -> String {
    var text =
      "\(comparison.betterCount) better, \(comparison.worseCount) worse,"
      + " \(comparison.equalCount) equal; size \(Figures.bytes(comparison.bytesA))"
      + " → \(Figures.bytes(comparison.bytesB))\n"
    let changed = comparison.changes.filter { $0.isBetter != nil }
      .sorted {
        $0.isBetter == $1.isBetter
          ? $0.relativeChange > $1.relativeChange : $0.isBetter == false
      }
    if !changed.isEmpty {
      text += "\n" + Self.metrics(of: comparison)
      var table = TextTable([
        ("", .left), ("metric", .left), ("where", .left), ("A", .right), ("B", .right),
      ])
      for change in changed.prefix(max(0, top)) {
        table.add([
          change.isBetter == true ? "better" : "worse", change.metric, change.location,
          Figures.error(change.a), Figures.error(change.b),
        ])
      }
      text += "\n" + table.text(width: TextTable.terminalWidth)
    }
    if !comparison.notes.isEmpty { text += "\n" }
    for note in comparison.notes {
      text += "note: \(note)".wrapped(toColumn: TextTable.terminalWidth, indent: 6)
    }
    for (name, only) in [("A", comparison.onlyInA), ("B", comparison.onlyInB)] where !only.isEmpty {
      text += "\n"
      text += "only in \(name): \(only.count) figures, the first of them \(only[0])"
        .wrapped(toColumn: TextTable.terminalWidth, indent: 11)
    }
    return text
  }

  /// A line for each metric: how many of its figures got better, and the middle one of each side.
  private static func metrics(of comparison: Comparison) -> String {
    var table = TextTable([
      ("metric", .left), ("better", .right), ("worse", .right), ("equal", .right),
      ("median A", .right), ("median B", .right),
    ])
    var names: [String] = []
    for change in comparison.changes where !names.contains(change.metric) {
      names.append(change.metric)
    }
    // The size is told above.
    for name in names where name != "bytes.output" {
      let changes = comparison.changes.filter { $0.metric == name }
      table.add([
        name, "\(changes.count { $0.isBetter == true })",
        "\(changes.count { $0.isBetter == false })", "\(changes.count { $0.isBetter == nil })",
        Figures.error(Figures.quantile(0.5, of: changes.compactMap(\.a))),
        Figures.error(Figures.quantile(0.5, of: changes.compactMap(\.b))),
      ])
    }
    return table.text()
  }
}

extension Comparison.Change {
  /// The size of the change, relative to the larger figure; infinite where one is no number.
  fileprivate var relativeChange: Double {
    guard let a, let b else { return .infinity }
    let scale = max(a.magnitude, b.magnitude)
    return scale == 0 ? 0 : (a - b).magnitude / scale
  }
}
