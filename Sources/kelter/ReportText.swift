import Validation

/// A report as it is shown on a terminal.
enum ReportText {
  static func summary(of report: Report, output: String) -> String {
    var text = ""
    if !report.weights.isEmpty {
      var table = TextTable([
        ("weights", .left), ("scheme", .left), ("tensors", .right), ("median error", .right),
        ("worst", .right), ("of", .left),
      ])
      for row in report.weightSummary() {
        table.add([
          row.role, row.scheme, "\(row.count)", Figures.error(row.median), Figures.error(row.worst),
          row.worstPlace,
        ])
      }
      text += table.text(width: TextTable.terminalWidth) + "\n"
    }
    if !report.layers.isEmpty {
      var table = TextTable([
        ("layer", .right), ("kind", .left), ("error", .right), ("cumulative", .right),
        ("cosine", .right), ("same experts", .right), ("worst expert", .left),
      ])
      for layer in report.layers {
        let isSeeded = layer.input == "seeded"
        table.add([
          "\(layer.layer)", layer.kind + (isSeeded ? " (seeded)" : ""),
          Figures.error(layer.relativeError),
          isSeeded ? "–" : Figures.error(layer.cumulativeRelativeError),
          Figures.fixed(layer.cosine, digits: 5), Figures.percent(layer.routingAgreement),
          layer.worstExpert,
        ])
      }
      text += table.text(width: TextTable.terminalWidth)
      let basis =
        "errors of the MLP output on \(report.measurement.tokenCount) tokens"
        + " (\(report.measurement.tokens)), attention omitted"
      text += basis.wrapped(toColumn: TextTable.terminalWidth, indent: 0) + "\n"
    }
    text += "source  \(Figures.bytes(report.bytes.source))\n"
    text += "output  \(Figures.bytes(report.bytes.output))"
    if let bits = report.bytes.bitsPerWeight {
      text += ", \(Figures.fixed(bits, digits: 3)) bits per quantized weight"
    }
    text += "\n"
    for note in report.notes {
      text += "note    \(note)".wrapped(toColumn: TextTable.terminalWidth, indent: 8)
    }
    for violation in report.budget.violations.prefix(20) {
      text += "over    \(violation.sentence)".wrapped(toColumn: TextTable.terminalWidth, indent: 8)
    }
    if report.budget.violations.count > 20 {
      text += "over    … and \(report.budget.violations.count - 20) more\n"
    }
    return text + verdict(of: report, output: output) + "\n"
  }

  private static func verdict(of report: Report, output: String) -> String {
    if !report.measurement.gate { return "done    \(output), without the gate" }
    guard report.budget.passed else {
      return "failed  \(report.budget.violations.count) figure(s) of \(output) are over the budget"
    }
    return report.budget.limits == "default"
      ? "passed  \(output): nothing is broken (no budget was given)"
      : "passed  \(output) is within the budget"
  }
}

extension Report.Violation {
  /// What is over which limit, in words.
  var sentence: String {
    "\(metric) of \(location) is \(Figures.error(value)), the limit is \(Figures.error(limit))"
  }
}
