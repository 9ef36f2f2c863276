import FixtureSupport
import Foundation
import SystemPackage
import Testing

/// What the README shows of the trained checkpoint, as `scripts/demo` prints it, is what is
/// printed.
@Suite struct ReadmeTests {
  /// A command and the lines that follow it in a block of the README.
  struct Example: CustomTestStringConvertible {
    let arguments: [String]
    let lines: [String]
    var testDescription: String { arguments.joined(separator: " ") }
  }

  static let model = "mini-deepseek-v3"

  /// The blocks that begin with `$ kelter` and are about the trained checkpoint.
  static let examples: [Example] = {
    let text = (try? contents(Fixtures.packageRoot.appending("README.md"))) ?? []
    let blocks = String(decoding: text, as: UTF8.self).components(separatedBy: "```")
    return blocks.compactMap { block in
      var lines = block.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      guard lines.first?.isEmpty == true, lines.count > 2, lines[1].hasPrefix("$ kelter "),
        lines[1].contains(model)
      else { return nil }
      lines.removeFirst()
      let arguments = lines.removeFirst().split(separator: " ").dropFirst(2).map(String.init)
      return Example(arguments: arguments, lines: lines.filter { !$0.isEmpty && $0 != "…" })
    }
  }()

  @Test func thereAreSome() {
    #expect(Set(Self.examples.compactMap(\.arguments.first)).isSuperset(of: ["convert", "plan"]))
  }

  /// The lines appear in this order; the README may leave some out.
  @Test(arguments: examples)
  func isPrinted(example: Example) throws {
    try withTemporaryFolder { folder in
      try FileManager.default.createSymbolicLink(
        atPath: folder.appending(Self.model).string,
        withDestinationPath: Fixtures.path("trained").string)
      let run = try CommandRun(example.arguments, folder: folder)
      #expect(run.exitCode == 0, "\(run.errors)")
      var printed = run.output.split(separator: "\n")[...]
      for line in example.lines {
        guard let place = printed.firstIndex(where: { $0 == line }) else {
          Issue.record("the README shows a line that is not printed: \(line)")
          return
        }
        printed = printed[(place + 1)...]
      }
    }
  }
}
