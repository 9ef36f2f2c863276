extension Report {
  /// The report as a Markdown page: the verdict, sizes, weight errors by role, layers, violations.
  public func markdown() -> String {
    var page = "# Kelter report: \(source.family), \(scheme)\n\n"
    page += verdict + "\n\n"
    page += "| | bytes |\n|---|---:|\n"
    page += "| source | \(Figures.bytes(bytes.source)) |\n"
    page += "| output | \(Figures.bytes(bytes.output)) |\n"
    if let bits = bytes.bitsPerWeight {
      page += "| bits per quantized weight | \(Figures.fixed(bits, digits: 3)) |\n"
    }
    page += "| file bits per weight | \(Figures.fixed(bytes.fileBitsPerWeight, digits: 3)) |\n\n"

    if !weights.isEmpty {
      page += "## Weights\n\n"
      page += "| role | scheme | tensors | relative error: median | worst | worst tensor |\n"
      page += "|---|---|---:|---:|---:|---|\n"
      for row in weightSummary() {
        page += "| \(row.role) | \(row.scheme) | \(row.count) | \(Figures.error(row.median))"
        page += " | \(Figures.error(row.worst)) | `\(row.worstName)` |\n"
      }
      page += "\n"
    }

    if !layers.isEmpty {
      page += "## Layers\n\n"
      page += "Errors of the MLP output; attention is \(measurement.attention); "
      page += "\(measurement.tokenCount) tokens (\(measurement.tokens)).\n\n"
      page += "| layer | kind | relative error | cumulative | cosine | routing agreement"
      page += " | worst expert |\n|---:|---|---:|---:|---:|---:|---|\n"
      for layer in layers {
        page += "| \(layer.layer) | \(layer.kind)\(layer.input == "seeded" ? " (seeded)" : "")"
        page += " | \(Figures.error(layer.relativeError))"
        page += " | \(layer.input == "seeded" ? "–" : Figures.error(layer.cumulativeRelativeError))"
        page += " | \(Figures.fixed(layer.cosine, digits: 5))"
        page += " | \(Figures.percent(layer.routingAgreement)) | \(layer.worstExpert) |\n"
      }
      page += "\n"
    }

    if !budget.violations.isEmpty {
      page += "## Over the budget\n\n| metric | where | value | limit |\n|---|---|---:|---:|\n"
      for violation in budget.violations {
        page += "| \(violation.metric) | \(violation.location) | \(Figures.error(violation.value))"
        page += " | \(Figures.error(violation.limit)) |\n"
      }
      page += "\n"
    }
    if !notes.isEmpty {
      page += "## Notes\n\n" + notes.map { "- \($0)\n" }.joined() + "\n"
    }
    return page
  }

  /// One sentence: within the budget or not.
  package var verdict: String {
    if !measurement.gate {
      return "Layers were not measured (no gate); weight errors are below."
    }
    return budget.passed
      ? budget.limits == "default"
        ? "**Nothing is broken** (no budget was given)." : "**Within the budget.**"
      : "**Over the budget** in \(budget.violations.count) place(s)."
  }

  /// The weight errors of one role and scheme.
  package struct WeightSummary {
    package let role: String
    package let scheme: String
    package let count: Int
    package let median: Double?
    package let worst: Double?
    package let worstName: String
    /// Where it is: `layer 3, expert 17`; its name, if it is in no layer.
    package let worstPlace: String
  }

  /// The weight errors by role and scheme, in the order of roles.
  package func weightSummary() -> [WeightSummary] {
    let groups = Dictionary(grouping: weights) { [$0.role, $0.scheme] }
    return groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, entries in
      // A figure that is not finite is the worst there is.
      let worst = entries.max {
        ($0.relativeError ?? .infinity) < ($1.relativeError ?? .infinity)
      }
      return WeightSummary(
        role: key[0], scheme: key[1], count: entries.count,
        median: Figures.quantile(0.5, of: entries.compactMap(\.relativeError)),
        worst: worst?.relativeError, worstName: worst?.name ?? "",
        worstPlace: worst.map(\.place) ?? "")
    }
  }
}

extension Report.WeightEntry {
  fileprivate var place: String {
    guard let layer else { return name }
    return "layer \(layer)" + (expert.map { ", expert \($0)" } ?? "")
  }
}

extension Report.LayerEntry {
  /// The expert that loses most, with its error: `17: 0.1034`.
  package var worstExpert: String {
    let worst = experts.max { ($0.relativeError ?? .infinity) < ($1.relativeError ?? .infinity) }
    return worst.map { "\($0.expert): \(Figures.error($0.relativeError))" } ?? "–"
  }
}
