import Bytes
import FixtureSupport
import Foundation
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
      // Five figures of each weight, and the size.
      #expect(changes.count == 5 * 3 * (1 + 3 * 9) + 1)
      func errors(_ changes: [JSONValue]) -> [JSONValue] {
        changes.filter {
          $0["metric"] == .string("weights.relative_error")
            || $0["metric"] == .string("weights.snr_db")
        }
      }
      #expect(errors(changes).count == 2 * 84)
      #expect(errors(changes).allSatisfy { $0["better"] == .bool(true) })
      #expect(
        Set(changes.compactMap { $0["metric"]?.string }) == [
          "weights.relative_error", "weights.snr_db", "weights.max_absolute_error",
          "weights.zeroed_share", "weights.clipped_share", "bytes.output",
        ])
      #expect(changes.last?["metric"] == .string("bytes.output"))
      #expect(changes.last?["better"] == .bool(false))
      let back = try DocumentTests.document("diff", ["diff", fine, coarse])["changes"]?.array ?? []
      #expect(errors(back).allSatisfy { $0["better"] == .bool(false) })
      for (change, other) in zip(changes, back) {
        #expect(change["better"]?.bool.map(!) == other["better"]?.bool)
        #expect(change["a"] == other["b"] && change["b"] == other["a"])
      }

      // Reports hold the layers too.
      let reports = [coarse, fine].map { String($0.dropLast("kelter".count)) + "report.json" }
      let layers = try DocumentTests.document("diff", ["diff"] + reports)["changes"]?.array ?? []
      let cosine = try #require(layers.first { $0["metric"] == .string("layers.cosine") })
      let a = try #require(cosine["a"]?.double)
      #expect(cosine["better"] == .bool(try #require(cosine["b"]?.double) > a))
      let run = try kelter("diff", coarse, fine, "--top", "2")
      let better = changes.count { $0["better"] == .bool(true) }
      let worse = changes.count { $0["better"] == .bool(false) }
      #expect(
        run.output.hasPrefix(
          "\(better) better, \(worse) worse, \(changes.count - better - worse) equal; size "))
      let lines = run.output.split(separator: "\n")
      #expect(lines.count { $0.hasPrefix("better") || $0.hasPrefix("worse") } == 2)
      // A line sums up each metric.
      let sums = lines.filter { $0.hasPrefix("weights.relative_error ") }.first?.split(
        separator: " ")
      #expect(sums?.dropFirst().prefix(3) == ["84", "0", "0"])
    }
  }

  /// A figure that is no number any more is the worst change there is, not a missing one.
  @Test func aFigureThatIsLostIsWorse() throws {
    try Self.withOutputs { _, fine in
      let report = String(fine.dropLast("kelter".count)) + "report.json"
      let lost = FilePath(fine).removingLastComponent().appending("lost.json")
      let bytes = try contents(FilePath(report))
      var document = try #require(
        try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
      var weights = try #require(document["weights"] as? [[String: Any]])
      weights[0]["relative_error"] = nil
      weights[0]["snr_db"] = nil
      var layers = try #require(document["layers"] as? [[String: Any]])
      layers[0]["cosine"] = nil
      document["weights"] = weights
      document["layers"] = layers
      try writeFile(lost, Array(JSONSerialization.data(withJSONObject: document)))
      let name = try #require(weights[0]["name"] as? String)

      for (a, b, better) in [(report, lost.string, false), (lost.string, report, true)] {
        let compared = try DocumentTests.document("diff", ["diff", a, b])
        #expect(compared["only_in_a"] == .array([]) && compared["only_in_b"] == .array([]))
        let changed = compared["changes"]?.array?.filter { $0["better"] != nil } ?? []
        #expect(
          Set(changed.compactMap { $0["metric"]?.string })
            == ["weights.relative_error", "weights.snr_db", "layers.cosine"])
        #expect(changed.count == 3 && changed.allSatisfy { $0["better"] == .bool(better) })
        #expect(changed.allSatisfy { $0[better ? "a" : "b"] == nil })
        #expect(changed.allSatisfy { $0[better ? "b" : "a"]?.double != nil })
      }
      let run = try kelter("diff", report, lost.string, "--top", "1")
      #expect(run.output.hasPrefix("0 better, 3 worse, "))
      // A long name goes over several lines of its column.
      for part in name.split(separator: ".") { #expect(run.output.contains(part)) }
    }
  }
}
