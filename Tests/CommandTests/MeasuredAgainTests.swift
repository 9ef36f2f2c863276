import Bytes
import FixtureSupport
import SystemPackage
import Testing

/// `verify --against` and `diff`: what was measured, measured again and compared.
@Suite struct MeasuredAgainTests {
  static let source = Fixtures.path("trained").string

  /// Two outputs of one source, the second with four times the scales.
  static func withOutputs(_ body: (_ coarse: String, _ fine: String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let outputs = ["int4-g128", "int4-g32"].map { ($0, folder.appending($0 + ".kelter").string) }
      for (scheme, output) in outputs {
        let run = try kelter(
          "convert", source, "-o", output, "--scheme", scheme, "--token-count", "32", "--quiet")
        #expect(run.exitCode == 0, "\(run.errors)")
      }
      try body(outputs[0].1, outputs[1].1)
    }
  }

  @Test func theBudgetDecidesHereToo() throws {
    try Self.withOutputs { coarse, fine in
      let budget = FilePath(fine).removingLastComponent().appending("b.yaml")
      try writeFile(budget, Array("weights: {relative_error: 0.09}".utf8))
      func verify(_ output: String, _ more: String...) throws -> CommandRun {
        try CommandRun(
          ["verify", output, "--against", Self.source, "--budget", budget.string] + more)
      }
      #expect(try verify(fine).exitCode == 0)
      let failed = try verify(coarse)
      #expect(failed.exitCode == 1 && failed.errors.isEmpty)
      #expect(failed.output.contains("over    weights.relative_error of model.layers."))
      // The file stays: it was published before.
      #expect(exists(FilePath(coarse)))
      let report = budget.removingLastComponent().appending("again.xml")
      #expect(try verify(coarse, "--report", report.string, "--quiet").exitCode == 1)
      #expect(String(decoding: try contents(report), as: UTF8.self).contains("<failure "))
    }
  }

  /// The tokens may be others than those of the conversion.
  @Test func onOtherTokens() throws {
    try Self.withOutputs { _, fine in
      let document = try DocumentTests.document(
        "verify",
        [
          "verify", fine, "--against", Self.source, "--tokens",
          Fixtures.path("trained/tokens-test.safetensors").string, "--token-count", "64",
        ])
      let measurement = document["report"]?["measurement"]
      #expect(measurement?["tokens"] == .string("tokens-test.safetensors"))
      #expect(measurement?["token_count"] == .integer(64))
    }
  }

  @Test func diffSaysWhatGotBetter() throws {
    try Self.withOutputs { coarse, fine in
      let document = try DocumentTests.document("diff", ["diff", coarse, fine])
      let changes = document["changes"]?.array ?? []
      #expect(changes.count == 3 * (1 + 3 * 9))
      #expect(changes.allSatisfy { $0["better"] == .bool(true) })
      let back = try DocumentTests.document("diff", ["diff", fine, coarse])
      #expect(back["changes"]?.array?.allSatisfy { $0["better"] == .bool(false) } == true)

      // Reports hold the layers too.
      let reports = [coarse, fine].map { String($0.dropLast("kelter".count)) + "report.json" }
      let layers = try DocumentTests.document("diff", ["diff"] + reports)["changes"]?.array ?? []
      let cosine = try #require(layers.first { $0["metric"] == .string("layers.cosine") })
      let a = try #require(cosine["a"]?.double)
      #expect(cosine["better"] == .bool(try #require(cosine["b"]?.double) > a))
      let run = try kelter("diff", coarse, fine, "--top", "2")
      #expect(run.output.hasPrefix("84 better, 0 worse, 0 equal; size "))
      #expect(run.output.split(separator: "\n").count { $0.hasPrefix("better") } == 2)
    }
  }
}
