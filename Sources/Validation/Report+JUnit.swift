extension Report {
  /// The report as JUnit XML, for CI systems: a test case for each quantized weight, layer and
  /// expert, failed where the budget says so, skipped where nothing was decided.
  public func junit() -> String {
    var failures: [String: [Violation]] = [:]
    for violation in budget.violations {
      failures[violation.location, default: []].append(violation)
    }
    let suites: [(name: String, cases: [String])] = [
      ("weights", weights.map(\.name)),
      ("layers", layers.map { "layer \($0.layer)" }),
      ("experts", layers.flatMap { l in l.experts.map { "layer \(l.layer) expert \($0.expert)" } }),
      ("size", ["output"]),
    ]
    let total = suites.reduce(0) { $0 + $1.cases.count }
    let failed = suites.reduce(0) { $0 + $1.cases.count { failures[$0] != nil } }
    let isSkipped = !measurement.gate
    var xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    xml += "<testsuites name=\"kelter \(scheme.xmlEscaped)\" tests=\"\(total)\""
    xml += " failures=\"\(failed)\">\n"
    for suite in suites where !suite.cases.isEmpty {
      let suiteFailures = suite.cases.count { failures[$0] != nil }
      xml += "  <testsuite name=\"\(suite.name)\" tests=\"\(suite.cases.count)\""
      xml += " failures=\"\(suiteFailures)\" errors=\"0\""
      xml += " skipped=\"\(isSkipped ? suite.cases.count : 0)\">\n"
      for name in suite.cases {
        xml += "    <testcase classname=\"kelter.\(suite.name)\" name=\"\(name.xmlEscaped)\""
        guard let violations = failures[name] else {
          xml += isSkipped ? "><skipped message=\"no gate\"/></testcase>\n" : "/>\n"
          continue
        }
        xml += ">\n"
        for violation in violations {
          let message =
            "\(violation.metric) is \(Figures.error(violation.value)),"
            + " the limit is \(Figures.error(violation.limit))"
          xml += "      <failure message=\"\(message.xmlEscaped)\"/>\n"
        }
        xml += "    </testcase>\n"
      }
      xml += "  </testsuite>\n"
    }
    return xml + "</testsuites>\n"
  }
}

extension String {
  /// The text as it stands in an XML attribute. Characters that XML cannot hold become U+FFFD.
  fileprivate var xmlEscaped: String {
    var escaped = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "\t", "\n", "\r": escaped += "&#\(scalar.value);"
      case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF:
        escaped += "\u{FFFD}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
