import Bytes
import Checkpoints
import FixtureSupport
import Foundation
import SystemPackage
import Tensors
import Testing

/// A GGUF file as a source.
@Suite struct GGUFCommandTests {
  static let path = Fixtures.path("gguf/tiny.gguf").string

  @Test func isInspectedWithoutAFamily() throws {
    let run = try kelter("inspect", Self.path, "--json")
    #expect(run.exitCode == 0, "\(run.errors)")
    let json = try JSONValue(parsing: Array(run.output.utf8), file: "inspect")
    #expect(json["family"] == .string("GGUF") && json["model_type"] == .string("llama"))
    #expect(json["tensors"] == .integer(8))
    let names = json["encodings"]?.array?.compactMap { $0["name"]?.string } ?? []
    #expect(Set(names) == ["F16", "BF16", "F32", "Q8_0", "Q4_0", "Q4_K", "MXFP4"])
    let notes = json["notes"]?.array?.compactMap(\.string) ?? []
    #expect(notes.contains { $0.contains("tokenizer (gpt2, 64 tokens)") })
  }

  @Test func saysHowItIsConverted() throws {
    try withTemporaryFolder { folder in
      _ = try expectFailure(
        65, naming: "tiny.gguf", "llama model", "--family generic",
        of: ["convert", Self.path, "-o", folder.appending("x.kelter").string, "--scheme", "keep"])
    }
  }

  /// What is kept is exported as the values that its blocks decode to.
  @Test func isKeptAndExportedExactly() throws {
    try withTemporaryFolder { folder in
      let container = folder.appending("x.kelter").string
      let export = folder.appending("export")
      for arguments in [
        ["convert", Self.path, "-o", container, "--scheme", "keep", "--family", "generic"],
        ["verify", container],
        ["export", container, "-o", export.string, "--format", "f32"],
      ] {
        let run = try CommandRun(arguments)
        #expect(run.exitCode == 0, "\(run.errors)")
      }
      let source = try Checkpoint(path: FilePath(Self.path))
      let exported = try Checkpoint(path: export)
      #expect(exported.tensors.map(\.name) == source.tensors.map(\.name))
      for tensor in source.tensors {
        let values = try exported.floats(of: #require(exported[tensor.name]))
        var expected = [Float](repeating: 0, count: tensor.valueShape.elementCount)
        if let blocks = tensor.blocks {
          let bytes = try source.bytes(of: tensor)
          var span = expected.mutableSpan
          blocks.decode(bytes.span, into: &span)
        } else {
          expected = try source.floats(of: tensor)
        }
        #expect(values == expected, "\(tensor.name)")
      }
    }
  }

  @Test func isQuantizedByTheRolesOfItsNames() throws {
    try withTemporaryFolder { folder in
      let container = folder.appending("x.kelter").string
      let run = try CommandRun([
        "convert", Self.path, "-o", container, "--scheme", "int4-g32", "--family", "generic",
      ])
      #expect(run.exitCode == 0, "\(run.errors)")
      let inspection = try kelter("inspect", container, "--json")
      let json = try JSONValue(parsing: Array(inspection.output.utf8), file: "inspect")
      let roles = Set(json["roles"]?.array?.compactMap { $0["name"]?.string } ?? [])
      #expect(
        roles == [
          "attention", "dense.down", "dense.gate", "dense.up", "embedding", "expert.gate", "norm",
        ])
      let encodings = json["encodings"]?.array ?? []
      let count = encodings.first { $0["name"]?.string?.hasPrefix("INT4") == true }?["tensors"]
      #expect(count == .integer(4))
    }
  }
}
