import Foundation
import Testing
import Validation

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// What a CI system reads of a report.
@Suite struct JUnitTests {
  @Test func listsEveryFigureAndItsFailures() throws {
    var report = Report.sample()
    report.weights[0].name = "a<b>&\"c'\u{1}d\n"
    report.budget = .init(violations: [
      .init(
        metric: "weights.relative_error", value: nil, limit: 0.2, location: report.weights[0].name),
      .init(metric: "weights.snr_db", value: 3, limit: 9, location: report.weights[0].name),
      .init(metric: "experts.relative_error", value: 0.2, limit: 0.1, location: "layer 1 expert 1"),
      .init(metric: "size.bits_per_weight", value: 5, limit: 4, location: "output"),
    ])
    let document = try JUnitDocument(report.text(as: .junit))
    #expect(document.suites.map { $0["name"] } == ["weights", "layers", "experts", "size"])
    #expect(document.suites.map { $0["tests"] } == ["2", "2", "2", "1"])
    #expect(document.suites.map { $0["failures"] } == ["1", "0", "1", "1"])
    #expect(document.root["tests"] == "7" && document.root["failures"] == "3")
    #expect(document.cases.count == 7)
    #expect(document.cases[0]["name"] == "a<b>&\"c'\u{FFFD}d\n")
    #expect(document.cases.contains { $0["name"] == "layer 1 expert 1" })
    #expect(
      document.failures.map { $0["message"] } == [
        "weights.relative_error is not finite, the limit is 0.2000",
        "weights.snr_db is 3.0000, the limit is 9.0000",
        "experts.relative_error is 0.2000, the limit is 0.1000",
        "size.bits_per_weight is 5.0000, the limit is 4.0000",
      ])
  }

  /// A report without layers and weights is a document all the same.
  @Test func isADocumentWithoutFigures() throws {
    var report = Report.sample()
    report.weights = []
    report.layers = []
    let document = try JUnitDocument(report.text(as: .junit))
    #expect(document.cases.map { $0["name"] } == ["output"])
  }
}

/// The elements of a JUnit file, by their attributes, as Foundation's parser reads them.
private final class JUnitDocument: NSObject, XMLParserDelegate {
  private(set) var root: [String: String] = [:]
  private(set) var suites: [[String: String]] = []
  private(set) var cases: [[String: String]] = []
  private(set) var failures: [[String: String]] = []

  struct NotWellFormed: Error {}

  init(_ text: String) throws {
    super.init()
    let parser = XMLParser(data: Data(text.utf8))
    parser.delegate = self
    guard parser.parse() else { throw NotWellFormed() }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    switch name {
    case "testsuites": root = attributes
    case "testsuite": suites.append(attributes)
    case "testcase": cases.append(attributes)
    case "failure": failures.append(attributes)
    default: Issue.record("unexpected element \(name)")
    }
  }
}
