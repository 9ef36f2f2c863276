package import Yams

/// A text in YAML, of which recipes and budgets take what they know.
package struct YAMLDocument {
  /// Why a text is no YAML, in one line.
  package struct Fault: Error {
    package let reason: String
  }

  /// Nil for an empty text.
  package let root: Node?

  package init(_ text: String) throws(Fault) {
    do {
      root = try Yams.compose(yaml: text)
    } catch {
      // The line in question is told too, which may be a whole file.
      let reason = "\(error)".split(separator: "\n").joined(separator: " ")
      throw Fault(reason: reason.count > 200 ? reason.prefix(200) + "…" : reason)
    }
  }
}
