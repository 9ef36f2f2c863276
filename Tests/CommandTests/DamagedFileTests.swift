import Bytes
import FixtureSupport
import Foundation
import SystemPackage
import Testing

/// `.kelter` files that are not what was written: exit code 65, one line that names the place.
@Suite struct DamagedFileTests {
  static func withContainer(_ body: (FilePath, [UInt8]) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let run = try CommandRun(FaultTests.convert("mixtral", in: folder))
      #expect(run.exitCode == 0, "\(run.errors)")
      let path = folder.appending("out.kelter")
      try body(path, try contents(path))
    }
  }

  /// A bit anywhere: in the header, in the sections, in the extents, in the filling between them.
  @Test func flippedBits() throws {
    try Self.withContainer { path, sound in
      var generator = SystemRandomNumberGenerator()
      var places = [0, 8, 16, 40, 4096, sound.count - 1]
      places += (0..<20).map { _ in Int.random(in: 0..<sound.count, using: &generator) }
      for place in places {
        var bytes = sound
        bytes[place] ^= 1 << (place % 8)
        try writeFile(path, bytes)
        let run = try kelter("verify", path.string, "--quiet")
        #expect(run.exitCode == 65, "byte \(place): \(run.errors)")
        #expect(run.errorLines.count == 1, "byte \(place): \(run.errors)")
        #expect(run.errors.contains(path.string), "byte \(place): \(run.errors)")
      }
    }
  }

  @Test func truncatedFiles() throws {
    try Self.withContainer { path, sound in
      for byteCount in [0, 7, 100, 4096, sound.count / 2, sound.count - 1] {
        try writeFile(path, Array(sound[..<byteCount]))
        for command in [
          ["verify", path.string],
          ["export", path.string, "-o", path.string + ".hf", "--format", "f32"],
          ["verify", path.string, "--against", Fixtures.path("mixtral").string],
        ] {
          try expectFailure(65, naming: path.string, of: command)
        }
        #expect(!exists(FilePath(path.string + ".hf")))
      }
      try writeFile(path, sound + [0])
      try expectFailure(65, naming: path.string, of: ["verify", path.string])
    }
  }

  /// The finding and where, and still one document.
  @Test func findingsAsJSON() throws {
    try Self.withContainer { path, sound in
      var bytes = sound
      bytes[sound.count - 20_000] ^= 1
      try writeFile(path, bytes)
      let document = try DocumentTests.document(
        "verify", exitCode: 65, ["verify", path.string])
      #expect(document["sound"] == .bool(false))
      #expect(document["findings"]?.array?.first?.string?.hasPrefix("byte ") == true)
    }
  }

  /// Sound by itself, and made of something else.
  @Test func anotherSource() throws {
    try Self.withContainer { path, _ in
      try withTemporaryFolder { folder in
        let source = try changeTensors(of: "mixtral", to: folder) { tensors in
          tensors[tensors.place(ofSuffix: "q_proj.weight")].bytes[1] ^= 0x40
        }
        try expectFailure(
          65, naming: path.string, "q_proj.weight", "differ",
          of: ["verify", path.string, "--against", source.string])
      }
    }
  }
}

/// `inspect` on files that are no whole model.
@Suite struct InspectedFileTests {
  /// A token file, a shard, and expected values, all with a config beside them.
  @Test(
    arguments: [
      ("trained/tokens-test.safetensors", 2), ("trained/model-00001-of-00002.safetensors", nil),
      ("mixtral/expected.safetensors", nil), ("layouts/ct_int4_sym_g32.safetensors", nil),
      ("layouts/fp8_block_f32scale.safetensors", nil),
    ] as [(String, Int?)])
  func loneFiles(path: String, tensors: Int?) throws {
    let document = try DocumentTests.document(
      "inspect", ["inspect", Fixtures.path(path).string])
    #expect(document["family"] == nil && document["roles"] == .array([]))
    if let tensors { #expect(document["tensors"] == .integer(tensors)) }
    #expect(
      document["notes"]?.array?.contains { $0.string?.contains("config.json") == true } == true)
    let text = try kelter("inspect", Fixtures.path(path).string)
    #expect(text.exitCode == 0 && text.output.contains("stored as") && text.errors.isEmpty)
  }

  /// A whole model in one file is one.
  @Test func loneModelFile() throws {
    let document = try DocumentTests.document(
      "inspect", ["inspect", Fixtures.path("mixtral/model.safetensors").string])
    #expect(document["family"] == .string("Mixtral"))
  }

  /// A weight file without a config can be looked at, and not converted.
  @Test func fileWithoutConfig() throws {
    try withTemporaryFolder { folder in
      let file = folder.appending("lone.safetensors")
      try writeFile(file, contents(Fixtures.path("mixtral/model.safetensors")))
      let document = try DocumentTests.document("inspect", ["inspect", file.string])
      #expect(document["encodings"]?.array?.first?["name"] == .string("BF16"))
      try expectFailure(65, naming: "config.json", of: ["plan", file.string, "--scheme", "keep"])
    }
  }

  @Test func otherFiles() throws {
    try withTemporaryFolder { folder in
      try writeFile("notes.txt", in: folder, Array("hello".utf8))
      try expectFailure(
        65, naming: "notes.txt", ".safetensors",
        of: ["inspect", folder.appending("notes.txt").string])
    }
  }
}
