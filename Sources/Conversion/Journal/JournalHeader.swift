import Container
internal import Foundation
import ModelFamilies
import Quantization
import ReferenceModel

/// What a journal begins with: everything that decides the bytes of the output and the figures of
/// the report. Threads, memory, kernels and the budget decide neither.
struct JournalHeader: Sendable, Codable, Equatable {
  /// One thing that a run and its continuation must have in common.
  struct Fact: Sendable, Codable, Equatable {
    /// As a user knows it: `--scheme`, `the source file model.safetensors`.
    var subject: String
    var value: String
    /// Whether it is told in messages: not if it is a checksum.
    var isReadable: Bool

    /// Whether it is a file of the source.
    var isOfSource: Bool { subject.hasPrefix("the source file ") }
  }

  /// The version of the journal itself.
  static let version = 1

  var facts: [Fact]
  /// The bytes that both streams take; 0 where no layer is measured.
  var slotByteCount: Int

  init(plan: ConversionPlan, tokens: TokenIDs?, watch: SourceWatch) throws {
    let options = plan.options
    var facts: [Fact] = []
    func add(_ subject: String, _ value: String, isReadable: Bool = true) {
      facts.append(Fact(subject: subject, value: value, isReadable: isReadable))
    }
    add(
      "the version of Kelter",
      "\(Version.package), format \(ContainerFormat.major).\(ContainerFormat.minor),"
        + " journal \(Self.version)")
    add("--scheme", options.scheme.rawValue)
    add("--recipe", options.recipe.text, isReadable: false)
    add("--search", options.search.rawValue)
    add("--importance", options.importance?.checksum.hexadecimal ?? "none", isReadable: false)
    add("the family", plan.source.description.familyName)
    add("--sha256", options.sha256 ? "on" : "off")
    add("--gate", options.gate ? "on" : "off")
    if let tokens {
      add("--token-count", "\(tokens.ids.count)")
      add("--seed", "\(options.seed)")
      add("--tokens", tokens.name)
      add("the list of ids in --tokens", tokens.ids.contentChecksum.hexadecimal, isReadable: false)
    }
    for file in watch.files {
      add("the source file \(file.name)", file.identity, isReadable: false)
    }
    add("the layout of the output", plan.layoutChecksum.hexadecimal, isReadable: false)
    self.facts = facts
    let hidden = plan.source.description.hiddenSize
    slotByteCount = 2 * (tokens?.ids.count ?? 0) * hidden * MemoryLayout<Float>.size
  }

  /// What differs from a journal that was begun earlier, as a sentence; nil if nothing does.
  func change(since begun: JournalHeader) -> (isOfSource: Bool, sentence: String)? {
    // Before the rest, because a source file that is gone changes the layout of the output, too.
    let subjects = Set(facts.map(\.subject))
    if let gone = begun.facts.first(where: { $0.isOfSource && !subjects.contains($0.subject) }) {
      return (true, "\(gone.subject) is gone since it was begun")
    }
    for fact in facts {
      guard let old = begun.facts.first(where: { $0.subject == fact.subject }) else {
        return (fact.isOfSource, "\(fact.subject) is new since it was begun")
      }
      if old.value == fact.value { continue }
      let values = fact.isReadable && old.isReadable ? " from \(old.value) to \(fact.value)" : ""
      return (fact.isOfSource, "\(fact.subject) has changed\(values) since it was begun")
    }
    return nil
  }

  var record: JournalRecord {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      return JournalRecord(kind: .header, payload: Array(try encoder.encode(self)))
    }
  }

  /// Reads the first record of a journal; nil if it is none.
  init?(payload: [UInt8]) {
    guard let header = try? JSONDecoder().decode(JournalHeader.self, from: Data(payload)) else {
      return nil
    }
    self = header
  }
}
