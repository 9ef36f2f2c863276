import Bytes
import Testing
import Validation

@Suite struct ReportTests {
  @Test func survivesJSON() throws {
    var report = Report.sample()
    report.recipe = "rules: []\n"
    report.budget = .init(violations: [
      .init(metric: "weights.relative_error", value: nil, limit: 0.2, location: "w")
    ])
    let text = report.json()
    #expect(text.hasSuffix("}\n"))
    #expect(try Report(json: Array(text.utf8), file: "r.json") == report)
    // Keys in order: the same report gives the same text.
    #expect(text == report.json())
  }

  @Test func figuresThatAreNotFiniteAreAbsent() throws {
    var report = Report.sample()
    report.weights[0].relativeError = nil
    let text = report.json()
    #expect(!text.contains("null") && !text.contains("nan"))
    let back = try Report(json: Array(text.utf8), file: "r.json")
    #expect(back.weights[0].relativeError == nil)
  }

  @Test(arguments: [
    ("", "no JSON"), ("[]", ""), ("{}", "'"), ("{\"report_version\": 1}", "is missing"),
    ("{\"report_version\": \"one\"}", "another type"),
  ])
  func refusesWhatIsNoReport(text: String, reason: String) {
    let error = #expect(throws: ValidationError.self) {
      try Report(json: Array(text.utf8), file: "r.json")
    }
    let message = error?.description ?? ""
    #expect(error?.kind == .invalidInput)
    #expect(message.hasPrefix("r.json: not a Kelter report: ") && message.contains(reason))
  }

  @Test func refusesAnotherVersion() {
    var report = Report.sample()
    report.reportVersion = Report.version + 1
    let error = #expect(throws: ValidationError.self) {
      try Report(json: Array(report.json().utf8), file: "r.json")
    }
    #expect(error?.description.contains("its version is 2, and this Kelter reads 1") == true)
  }

  /// A version that is not known is named before anything that it may have changed.
  @Test func namesAnotherVersionFirst() {
    let error = #expect(throws: ValidationError.self) {
      try Report(json: Array("{\"report_version\": 9, \"other\": 1}".utf8), file: "r.json")
    }
    #expect(error?.description.contains("its version is 9") == true, "\(error as Any)")
  }

  @Test(arguments: [
    ("a.json", ReportForm.json), ("a.b.MD", .markdown), ("dir.json/r.xml", .junit),
  ])
  func choosesAFormByEnding(name: String, form: ReportForm) throws {
    #expect(try ReportForm(fileName: name) == form)
  }

  @Test(arguments: ["json", "a.html", "a", "a.", "dir.json/a", "", ".txt"])
  func refusesOtherEndings(name: String) {
    let error = #expect(throws: ValidationError.self) { try ReportForm(fileName: name) }
    #expect(error?.kind == .usage)
    #expect(error?.description == "\(name): a report ends in .json, .md or .xml (JUnit)")
  }

  @Test func markdownHoldsWhatMatters() {
    var report = Report.sample()
    report.layers.append(.sample(layer: 2, input: "seeded", experts: [0.3, nil]))
    let page = report.text(as: .markdown)
    for part in [
      "# Kelter report: DeepSeek-V3, int4-g32", "**Within the budget.**", "| source | 1.0 kB |",
      "| bits per quantized weight | 4.500 |", "`model.layers.1.mlp.experts.0.down_proj.weight`",
      "attention is omitted; 8 tokens (seeded)", "| 1 | moe | 0.1000 | 0.1500 | 0.99000 | 90.0 % |",
      "| 2 | moe (seeded) |", "1: not finite", "- not read: README.md",
    ] {
      #expect(page.contains(part), "\(part)")
    }
    #expect(!page.contains("Over the budget"))
    report.budget = .init(violations: [
      .init(metric: "layers.cosine", value: 0.5, limit: 0.9, location: "layer 1")
    ])
    let failed = report.text(as: .markdown)
    #expect(failed.contains("**Over the budget** in 1 place(s)."))
    #expect(failed.contains("| layers.cosine | layer 1 | 0.5000 | 0.9000 |"))
  }

  /// Without the gate, a page says so rather than praise.
  @Test func markdownWithoutTheGate() {
    var report = Report.sample()
    report.measurement.gate = false
    report.layers = []
    let page = report.text(as: .markdown)
    #expect(page.contains("Layers were not measured") && !page.contains("Within the budget"))
  }
}
