import Bytes
import Checkpoints
import FixtureSupport
import SystemPackage
import Tensors
import Testing

/// `kelter tensors`: every tensor of any weight file, with the checksum of its values.
@Suite struct TensorsTests {
  @Test(arguments: ["deepseek_v3", "pytorch/zip.bin", "pytorch/sharded", "pytorch/tokens.npz"])
  func lists(fixture: String) throws {
    let source = Fixtures.path(fixture)
    let expected = try Self.expected(Checkpoint(path: source), checksums: false)
    let listed = try DocumentTests.document("tensors", ["tensors", source.string])
    #expect(listed["tensors"] == .array(expected))
    let silent = try kelter("tensors", source.string, "--quiet")
    #expect(silent.output == "")
  }

  @Test(arguments: ["deepseek_v3", "pytorch/zip.bin", "pytorch/sharded", "pytorch/tokens.npz"])
  func givesChecksums(fixture: String) throws {
    let source = Fixtures.path(fixture)
    let expected = try Self.expected(Checkpoint(path: source), checksums: true)
    let listed = try DocumentTests.document(
      "tensors", ["tensors", source.string, "--checksums"])
    #expect(listed["tensors"] == .array(expected))
    let text = try kelter("tensors", source.string, "--checksums")
    for entry in expected {
      let checksum = entry["checksum"]?.string ?? "none"
      #expect(text.output.contains(checksum))
    }
  }

  @Test func tellsWhatIsNotRead() throws {
    try withTemporaryFolder { folder in
      try writeFile(
        "model.safetensors", in: folder, SafetensorsBytes.file([("a", "U8", [1], [7])]))
      try writeFile("training_args.bin", in: folder, [1])
      let listed = try DocumentTests.document("tensors", ["tensors", folder.string])
      #expect(listed["not_read"] == .array([.string("training_args.bin")]))
    }
  }

  @Test func refusesAPickleThatRuns() throws {
    let path = Fixtures.path("pytorch/refused/runs.bin").string
    try expectFailure(
      65, naming: path, "byte ", "opcode GLOBAL asks for __builtin__.print", "nothing was run",
      of: ["tensors", path])
  }

  private static func expected(
    _ checkpoint: Checkpoint, checksums: Bool
  ) throws -> [JSONValue] {
    var entries: [JSONValue] = []
    for tensor in checkpoint.tensors {
      var entry: [String: JSONValue] = [:]
      entry["name"] = .string(tensor.name)
      entry["dtype"] = .string(tensor.dtype.rawValue)
      entry["shape"] = .array(tensor.shape.dimensions.map { JSONValue.integer($0) })
      entry["bytes"] = .integer(tensor.byteCount)
      let file = checkpoint.files[tensor.fileIndex].path.lastComponent
      entry["file"] = .string(file?.string ?? "")
      if checksums {
        let bytes = try checkpoint.bytes(of: tensor)
        let digits = String(Checksum.of(bytes.rawSpan), radix: 16)
        entry["checksum"] = .string(String(repeating: "0", count: 16 - digits.count) + digits)
      }
      entries.append(.object(entry))
    }
    return entries
  }
}
