import Bytes
import Checkpoints
import FixtureSupport
import Foundation
import SystemPackage
import Testing

/// Sources that are wrong: exit code 65 (66 where nothing is there), one line that names the place.
@Suite struct BadSourceTests {
  static func convert(_ source: FilePath, in folder: FilePath, _ more: String...) -> [String] {
    ["convert", source.string, "-o", folder.appending("out.kelter").string, "--scheme", "int4-g32"]
      + more
  }

  /// Expects `convert` and `plan` to refuse a source alike, and nothing to be left behind.
  static func expectRefusal(
    _ source: FilePath, in folder: FilePath, exitCode: Int32 = 65, naming parts: [String],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = try names(in: folder)
    for arguments in [
      convert(source, in: folder), ["plan", source.string, "--scheme", "int4-g32"],
    ] {
      let run = try expectFailure(exitCode, of: arguments, sourceLocation: sourceLocation)
      for part in parts {
        #expect(run.errors.contains(part), "\(run.errors)", sourceLocation: sourceLocation)
      }
    }
    #expect(try names(in: folder) == before, sourceLocation: sourceLocation)
  }

  @Test func emptyFolder() throws {
    try withTemporaryFolder { folder in
      let source = folder.appending("empty")
      try FileManager.default.createDirectory(
        atPath: source.string, withIntermediateDirectories: false)
      try Self.expectRefusal(source, in: folder, exitCode: 66, naming: [source.string, "empty"])
      try expectFailure(66, naming: source.string, of: ["inspect", source.string])
    }
  }

  @Test(arguments: [
    ["inspect", "/nowhere"], ["plan", "/nowhere", "--scheme", "keep"],
    ["convert", "/nowhere", "-o", "/tmp/never.kelter", "--scheme", "keep"],
    ["verify", "/nowhere"], ["export", "/nowhere", "-o", "/tmp/never", "--format", "f32"],
    ["diff", "/nowhere", "/nowhere"],
  ])
  func noSuchPath(arguments: [String]) throws {
    try expectFailure(66, naming: "/nowhere", "no such file", of: arguments)
  }

  @Test(arguments: [1, 1000, 1_900_000, 1_953_411])
  func truncatedShard(lostByteCount: Int) throws {
    try withTemporaryFolder { folder in
      let source = try copyFixture("trained", to: folder)
      let shard = source.appending("model-00002-of-00002.safetensors")
      try writeFile(shard, contents(shard).dropLast(lostByteCount))
      try Self.expectRefusal(source, in: folder, naming: [shard.string, "fetch it again"])
      try expectFailure(65, naming: shard.string, of: ["inspect", source.string])
    }
  }

  /// What a clone without Git LFS leaves.
  @Test func pointerInPlaceOfTheFile() throws {
    try withTemporaryFolder { folder in
      let source = try copyFixture("mixtral", to: folder)
      let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n"
      try writeFile(source.appending("model.safetensors"), Array(pointer.utf8))
      try Self.expectRefusal(source, in: folder, naming: ["model.safetensors", "git lfs pull"])
    }
  }

  @Test func missingShard() throws {
    try withTemporaryFolder { folder in
      let source = try copyFixture("trained", to: folder)
      let shard = "model-00002-of-00002.safetensors"
      try FileManager.default.removeItem(atPath: source.appending(shard).string)
      try Self.expectRefusal(source, in: folder, naming: [shard, "not there"])
    }
  }

  /// Every bit of the length, and bits all over the JSON text.
  @Test func flippedBitsOfTheHeader() throws {
    try withTemporaryFolder { folder in
      let source = try copyFixture("deepseek_v3_fp8", to: folder)
      let file = source.appending("model.safetensors")
      let sound = try contents(file)
      let headerByteCount = Int(sound[0]) | Int(sound[1]) << 8 | Int(sound[2]) << 16
      var places = (0..<8).map { ($0, 3) }
      places += stride(from: 8, to: 8 + headerByteCount, by: headerByteCount / 12).map { ($0, 0) }
      for (byte, bit) in places {
        var bytes = sound
        bytes[byte] ^= 1 << bit
        try writeFile(file, bytes)
        let run = try CommandRun(["plan", source.string, "--scheme", "int4-g32"])
        #expect(run.exitCode == 65, "byte \(byte): \(run.errors)")
        #expect(run.errorLines.count == 1 && run.output.isEmpty, "byte \(byte): \(run.errors)")
        #expect(
          run.errors.contains(file.string) || run.errors.contains("tensor"),
          "byte \(byte): \(run.errors)")
      }
    }
  }

  @Test func missingScale() throws {
    try withTemporaryFolder { folder in
      var lost = ""
      let source = try changeTensors(of: "deepseek_v3_fp8", to: folder) { tensors in
        lost =
          tensors.remove(at: tensors.place(ofSuffix: "experts.1.up_proj.weight_scale_inv")).name
      }
      try Self.expectRefusal(source, in: folder, naming: [lost, "missing"])
    }
  }

  @Test func scaleThatIsNoNumber() throws {
    try withTemporaryFolder { folder in
      var changed = ""
      let source = try changeTensors(of: "deepseek_v3_fp8", to: folder) { tensors in
        let place = tensors.place(ofSuffix: "experts.1.up_proj.weight_scale_inv")
        tensors[place].bytes.replaceSubrange(0..<4, with: [0, 0, 0xC0, 0x7F])
        changed = tensors[place].name
      }
      try expectFailure(
        65, naming: changed, "nan", "converted anew with --restart",
        of: Self.convert(source, in: folder))
      #expect(!exists(folder.appending("out.kelter")))
    }
  }

  /// The layers cannot be measured with them.
  @Test(arguments: [
    "embed_tokens.weight", "layers.0.post_attention_layernorm.weight",
    "0.block_sparse_moe.gate.weight", "experts.1.w1.weight",
  ])
  func wholeNumbersInPlaceOfWeights(suffix: String) throws {
    try withTemporaryFolder { folder in
      let source = try changeTensors(of: "mixtral", to: folder) { tensors in
        let place = tensors.place(ofSuffix: suffix)
        let count = tensors[place].shape.reduce(1, *)
        tensors[place].dtype = "I64"
        tensors[place].bytes = [UInt8](repeating: 0, count: 8 * count)
      }
      var convert = Self.convert(source, in: folder)
      convert[convert.count - 1] = "keep"
      try expectFailure(65, naming: suffix, "whole numbers", of: convert)
    }
  }

  @Test(arguments: [
    ("hidden_size", 96), ("n_routed_experts", 3), ("n_routed_experts", 16),
    ("moe_intermediate_size", 64), ("num_hidden_layers", 7), ("num_hidden_layers", 1),
    ("first_k_dense_replace", 3), ("num_experts_per_tok", 0), ("vocab_size", 7),
  ])
  func configThatContradictsTheTensors(key: String, value: Int) throws {
    try withTemporaryFolder { folder in
      let source = try copyFixture("deepseek_v3_fp8", to: folder)
      try changeConfig(of: source) { $0[key] = value }
      try Self.expectRefusal(source, in: folder, naming: [])
    }
  }

  @Test func unknownArchitecture() throws {
    try withTemporaryFolder { folder in
      let source = try copyFixture("mixtral", to: folder)
      try changeConfig(of: source) {
        $0["model_type"] = "nextbigthing"
        $0["architectures"] = ["NextBigThingForCausalLM"]
      }
      try Self.expectRefusal(
        source, in: folder, naming: ["unknown architecture", "nextbigthing", "--family"])
      // Told what it is, it converts.
      let run = try kelter("plan", source.string, "--scheme", "keep", "--family", "mixtral")
      #expect(run.exitCode == 0, "\(run.errors)")
    }
  }

  @Test func configThatIsNoJSON() throws {
    try withTemporaryFolder { folder in
      let source = try copyFixture("mixtral", to: folder)
      try writeFile("config.json", in: source, Array("{\"a\": 1, \"a\": 2}".utf8))
      try Self.expectRefusal(source, in: folder, naming: ["config.json"])
    }
  }

  /// Shards that share a name and not a folder are told apart by their folders.
  @Test func shardsOfOneNameInTwoFolders() throws {
    try withTemporaryFolder { folder in
      let source = try copyFixture("trained", to: folder)
      for (place, name) in [("a", "00001"), ("b", "00002")] {
        let shard = source.appending("model-\(name)-of-00002.safetensors")
        try FileManager.default.createDirectory(
          atPath: source.appending(place).string, withIntermediateDirectories: false)
        try FileManager.default.moveItem(
          atPath: shard.string, toPath: source.appending("\(place)/m.safetensors").string)
      }
      let index = source.appending("model.safetensors.index.json")
      let text = String(decoding: try contents(index), as: UTF8.self)
        .replacingOccurrences(of: "model-00001-of-00002", with: "a/m")
        .replacingOccurrences(of: "model-00002-of-00002", with: "b/m")
      try writeFile(index, Array(text.utf8))
      let wanted = [JSONValue.string("a/m.safetensors"), .string("b/m.safetensors")]
      let inspection = try kelter("inspect", source.string, "--json")
      #expect(inspection.exitCode == 0, "\(inspection.errors)")
      let files = try JSONValue(parsing: Array(inspection.output.utf8), file: "inspect")["files"]
      #expect(files?.array?.compactMap { $0["name"] } == wanted)
      let run = try CommandRun(Self.convert(source, in: folder, "--no-gate", "--json"))
      #expect(run.exitCode == 0, "\(run.errors)")
      let report = try JSONValue(parsing: Array(run.output.utf8), file: "report")
      let sources = report["source"]?["files"]?.array ?? []
      #expect(sources.compactMap { $0["name"] } == wanted)
      #expect(Set(sources.compactMap { $0["checksum"]?.string }).count == 2)
    }
  }

  @Test func aFolderWithoutConfig() throws {
    try withTemporaryFolder { folder in
      let source = try copyFixture("mixtral", to: folder)
      try FileManager.default.removeItem(atPath: source.appending("config.json").string)
      try Self.expectRefusal(source, in: folder, naming: ["config.json"])
    }
  }
}

/// Weights that are NaN or infinite.
@Suite struct NonFiniteWeightTests {
  static func source(in folder: FilePath, suffix: String, bits: UInt16) throws -> (FilePath, String)
  {
    var name = ""
    let source = try changeTensors(of: "qwen3_moe", to: folder) { tensors in
      let place = tensors.place(ofSuffix: suffix)
      name = tensors[place].name
      for element in [3, 40] {
        tensors[place].bytes[2 * element] = UInt8(truncatingIfNeeded: bits)
        tensors[place].bytes[2 * element + 1] = UInt8(bits >> 8)
      }
    }
    return (source, name)
  }

  /// NaN, +∞, −∞ in BF16; in what is quantized and in what is kept.
  @Test(arguments: [UInt16(0x7FC0), 0x7F80, 0xFF80])
  func areNamed(bits: UInt16) throws {
    for suffix in ["experts.3.down_proj.weight", "self_attn.q_proj.weight"] {
      try withTemporaryFolder { folder in
        let (source, name) = try Self.source(in: folder, suffix: suffix, bits: bits)
        try expectFailure(
          65, naming: name, "2 weight(s)", "--allow-nonfinite",
          of: BadSourceTests.convert(source, in: folder))
        #expect(!exists(folder.appending("out.kelter")))
        // The cure keeps what was done before.
        let run = try CommandRun(BadSourceTests.convert(source, in: folder, "--allow-nonfinite"))
        #expect(run.exitCode == 0 && run.errors.contains("goes on from"), "\(run.errors)")
        #expect(try names(in: folder) == ["changed", "out.kelter", "out.report.json"])
      }
    }
  }

  /// NaN counts as 0 and infinities saturate: what is published is finite and measured.
  @Test(arguments: [UInt16(0x7FC0), 0x7F80])
  func areAllowedOnDemand(bits: UInt16) throws {
    try withTemporaryFolder { folder in
      let (source, name) = try Self.source(
        in: folder, suffix: "experts.3.down_proj.weight", bits: bits)
      let run = try CommandRun(
        BadSourceTests.convert(source, in: folder, "--allow-nonfinite", "--json"))
      #expect(run.exitCode == 0, "\(run.errors)")
      let report = try JSONValue(parsing: Array(run.output.utf8), file: "report")
      let entry = report["weights"]?.array?.first { $0["name"] == .string(name) }
      #expect(entry?["non_finite_count"] == .integer(2))
      let layers = report["layers"]?.array ?? []
      #expect(!layers.isEmpty && layers.allSatisfy { $0["relative_error"]?.double != nil })
      let out = folder.appending("out.kelter").string
      #expect(try kelter("verify", out).exitCode == 0)
      let again = try kelter("verify", out, "--against", source.string)
      #expect(again.exitCode == 0, "\(again.errors)\(again.output)")
    }
  }

  /// What keeps its bytes keeps its NaN, and `verify` goes on naming it, as what the file was made
  /// to hold.
  @Test func stayInWhatIsKept() throws {
    try withTemporaryFolder { folder in
      let (source, name) = try Self.source(
        in: folder, suffix: "self_attn.q_proj.weight", bits: 0x7FC0)
      let run = try CommandRun(BadSourceTests.convert(source, in: folder, "--allow-nonfinite"))
      #expect(run.exitCode == 0, "\(run.errors)")
      let out = folder.appending("out.kelter").string
      let document = try DocumentTests.document("verify", ["verify", out])
      #expect(document["sound"] == .bool(true) && document["findings"] == .array([]))
      let note = try #require(document["notes"]?.array?.first?.string)
      #expect(note.contains(name) && note.contains("2 values"))
      let text = try kelter("verify", out)
      #expect(text.exitCode == 0 && text.output.contains("\nnote    tensor \(name)"))
      let again = try kelter("verify", out, "--against", source.string)
      #expect(again.exitCode == 0, "\(again.errors)\(again.output)")
    }
  }
}
