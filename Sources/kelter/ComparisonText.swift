import Conversion
import Validation

/// A comparison of schemes as it is shown on a terminal.
enum ComparisonText {
  static func text(_ comparison: SchemeComparison) -> String {
    var table = TextTable([
      ("scheme", .left), ("size", .right), ("of now", .right), ("bits/weight", .right),
      ("error", .right), ("±", .right), ("", .left),
    ])
    for row in comparison.schemes {
      let share = 100 * Double(row.outputBytes) / Double(max(1, comparison.sourceBytes))
      table.add([
        row.scheme, Figures.bytes(row.outputBytes), Figures.fixed(share, digits: 0) + " %",
        Figures.fixed(row.bitsPerWeight, digits: 3), Figures.error(row.relativeError),
        row.margin.map(uncertainty) ?? "–",
        mark(row),
      ])
    }
    let isWhole = comparison.sampledWeights == comparison.weights
    let count = Figures.count(comparison.weights)
    let basis =
      isWhole
      ? "of all \(count) weights that a scheme applies to"
      : "of the \(count) weights that a scheme applies to, estimated on"
        + " \(Figures.count(comparison.sampledWeights)) of them (seeded: the same every time)"
    var text = "\(comparison.family), \(Figures.bytes(comparison.sourceBytes)) now\n\n"
    text += table.text() + "\n"
    func line(_ name: String, _ value: String) {
      text += "\(name) \(value)".wrapped(toColumn: TextTable.terminalWidth, indent: name.count + 1)
    }
    line("error:", "‖ŵ − w‖ / ‖w‖ \(basis), with --search \(comparison.search)")
    if !isWhole { line("±:", "with a probability of about 95 %, the error of all is within this") }
    line("◆:", "no other scheme has less error in as few bytes")
    if comparison.schemes.contains(where: { $0.copiedShare > 0 }) {
      line("copied:", "the source has these bits already, so that nothing is lost")
    }
    for note in comparison.notes { line("note:", note) }
    return text
  }

  /// A margin, rounded up to the digits of the error.
  private static func uncertainty(_ margin: Double) -> String {
    margin == 0 ? "0" : Figures.fixed((1e4 * margin).rounded(.up) / 1e4, digits: 4)
  }

  private static func mark(_ row: SchemeComparison.Row) -> String {
    var mark = row.isOnFrontier ? "◆" : ""
    if row.copiedShare == 1 {
      mark += " copied"
    } else if row.copiedShare > 0 {
      mark += " \(Figures.percent(row.copiedShare)) copied"
    }
    return mark
  }
}
