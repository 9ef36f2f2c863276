import Bytes
import Checkpoints
import FixtureSupport
import SystemPackage
import Tensors
import Testing

struct CheckpointTests {
  @Test func opensAReleasedCheckpoint() throws {
    let checkpoint = try Checkpoint(path: Fixtures.path("deepseek_v3_fp8"))
    #expect(checkpoint.config?["model_type"]?.string == "deepseek_v3")
    #expect(checkpoint.files.count == 1)
    #expect(checkpoint.tensors.map(\.name) == checkpoint.tensors.map(\.name).sorted())
    let norm = try #require(checkpoint["model.norm.weight"])
    #expect(norm.dtype == .bf16 && norm.shape == Shape([256]))
    #expect(try checkpoint.floats(of: norm).count == 256)
    #expect(checkpoint["no.such.tensor"] == nil)
    #expect(checkpoint.sideFiles.compactMap(\.lastComponent?.string) == ["config.json"])
    let unread = checkpoint.unreadFiles.compactMap(\.lastComponent?.string)
    #expect(unread.contains("expected.safetensors") && !unread.contains("model.safetensors"))
  }

  @Test func opensALoneFile() throws {
    let checkpoint = try Checkpoint(path: Fixtures.path("deepseek_v3_fp8/expected.safetensors"))
    #expect(checkpoint.config != nil)
    #expect(checkpoint.unreadFiles.isEmpty && !checkpoint.tensors.isEmpty)
    try withTemporaryFolder { folder in
      let path = folder.appending("x.safetensors")
      try writeFile(path, SafetensorsBytes.file([("a", "U8", [2], [7, 8])]))
      let lone = try Checkpoint(path: path)
      #expect(lone.config == nil && lone.sideFiles.isEmpty)
      #expect(try lone.bytes(of: lone.tensors[0]) == [7, 8])
    }
  }

  @Test func joinsShards() throws {
    try withTemporaryFolder { folder in
      try writeShards(
        folder, weightMap: #"{"b":"2.safetensors","a":"1.safetensors","c":"2.safetensors"}"#)
      for name in [
        "tokenizer.json", "chat_template.jinja", "LICENSE", "README.md", "3.safetensors",
      ] {
        try writeFile(folder.appending(name), [])
      }
      try writeFile(folder.appending("config.json"), Array(#"{"x":1,"text_config":{"x":2}}"#.utf8))
      let checkpoint = try Checkpoint(path: folder)
      #expect(checkpoint.tensors.map(\.name) == ["a", "b", "c"])
      #expect(
        checkpoint.files.map(\.path.lastComponent?.string) == ["1.safetensors", "2.safetensors"])
      #expect(
        try checkpoint.tensors.map { try checkpoint.bytes(of: $0) } == [[1, 2], [3], [4, 5, 6]])
      #expect(checkpoint.config?["x"]?.int == 1 && checkpoint.config?.textConfig["x"]?.int == 2)
      #expect(
        checkpoint.sideFiles.compactMap(\.lastComponent?.string)
          == ["LICENSE", "chat_template.jinja", "config.json", "tokenizer.json"])
      #expect(
        checkpoint.unreadFiles.compactMap(\.lastComponent?.string) == [
          "3.safetensors", "README.md",
        ])
      var part = [UInt8](repeating: 0, count: 2)
      var span = part.mutableRawSpan
      try checkpoint.read(try #require(checkpoint["c"]), from: 1, into: &span)
      #expect(part == [5, 6])
      let error = #expect(throws: CheckpointsError.self) {
        var span = part.mutableRawSpan
        try checkpoint.read(checkpoint.tensors[2], from: 2, into: &span)
      }
      guard case .outsideTensor("c", 2, 2, 3) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test func readsValuesOfEveryNumberType() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("x.safetensors")
      try writeFile(
        path,
        SafetensorsBytes.file([
          ("bf16", "BF16", [2], [0x80, 0x3F, 0x20, 0xC0]), ("f16", "F16", [1], [0x00, 0x3E]),
          ("f32", "F32", [1], [0, 0, 0xC0, 0x3F]),
          ("f64", "F64", [1], [0, 0, 0, 0, 0, 0, 4, 0x40]),
          (
            "i64", "I64", [1],
            [UInt8](repeating: 0xFE, count: 1) + [UInt8](repeating: 0xFF, count: 7)
          ),
          ("i32", "I32", [1], [1, 2, 0, 0]), ("u8", "U8", [1], [200]), ("i8", "I8", [1], [200]),
          ("u64", "U64", [1], [UInt8](repeating: 0xFF, count: 8)),
        ]))
      let checkpoint = try Checkpoint(path: path)
      func record(_ name: String) throws -> TensorRecord { try #require(checkpoint[name]) }
      #expect(try checkpoint.floats(of: record("bf16")) == [1, -2.5])
      #expect(try checkpoint.floats(of: record("f16")) == [1.5])
      #expect(try checkpoint.floats(of: record("f32")) == [1.5])
      #expect(try checkpoint.floats(of: record("f64")) == [2.5])
      #expect(try checkpoint.integers(of: record("i64")) == [-2])
      #expect(try checkpoint.integers(of: record("i32")) == [513])
      #expect(try checkpoint.integers(of: record("u8")) == [200])
      #expect(try checkpoint.integers(of: record("i8")) == [-56])
      #expect(throws: CheckpointsError.self) { try checkpoint.integers(of: record("u64")) }
      #expect(throws: CheckpointsError.self) { try checkpoint.integers(of: record("f32")) }
      #expect(throws: CheckpointsError.self) { try checkpoint.floats(of: record("u8")) }
    }
  }
}

/// Two shards: `a` in the first, `b` and `c` in the second; and an index.
func writeShards(_ folder: FilePath, weightMap: String) throws {
  try writeFile(
    folder.appending("1.safetensors"), SafetensorsBytes.file([("a", "U8", [2], [1, 2])]))
  try writeFile(
    folder.appending("2.safetensors"),
    SafetensorsBytes.file([("c", "U8", [3], [4, 5, 6]), ("b", "I8", [1], [3])]))
  try writeFile(
    folder.appending("model.safetensors.index.json"),
    Array("{\"metadata\":{\"total_size\":6},\"weight_map\":\(weightMap)}".utf8))
}
