import Bytes
import Checkpoints
import FixtureSupport
import SystemPackage
import Testing

/// Folders whose index, shards and configuration do not agree.
struct HostileFolderTests {
  static let whole = #"{"a":"1.safetensors","b":"2.safetensors","c":"2.safetensors"}"#

  func expectError(
    _ weightMap: String, _ change: (FilePath) throws -> Void = { _ in },
    _ matches: (CheckpointsError) -> Bool
  ) throws {
    try withTemporaryFolder { folder in
      try writeShards(folder, weightMap: weightMap)
      try change(folder)
      let error = #expect(throws: CheckpointsError.self) { try Checkpoint(path: folder) }
      #expect(error.map(matches) == true, "\(String(describing: error))")
      #expect(error?.description.contains("\n") == false)
    }
  }

  @Test func anIndexThatNamesAMissingShard() throws {
    try expectError(#"{"a":"1.safetensors","b":"2.safetensors","c":"3.safetensors"}"#) {
      if case .missingShard(_, "3.safetensors", "c") = $0 { true } else { false }
    }
  }

  @Test func anIndexThatNamesAMissingTensor() throws {
    try expectError(
      #"{"a":"1.safetensors","b":"2.safetensors","c":"2.safetensors","d":"2.safetensors"}"#
    ) {
      if case .missingTensor(_, "2.safetensors", "d") = $0 { true } else { false }
    }
  }

  @Test func anIndexThatNamesTheWrongShard() throws {
    try expectError(#"{"a":"1.safetensors","b":"1.safetensors","c":"2.safetensors"}"#) {
      if case .missingTensor(_, "1.safetensors", "b") = $0 { true } else { false }
    }
  }

  @Test func anIndexThatLacksATensor() throws {
    try expectError(#"{"a":"1.safetensors","b":"2.safetensors"}"#) {
      if case .unindexedTensor(_, _, "c") = $0 { true } else { false }
    }
  }

  @Test func oneTensorInTwoShards() throws {
    try expectError(Self.whole) { folder in
      try writeFile(
        folder.appending("1.safetensors"),
        SafetensorsBytes.file([("a", "U8", [2], [1, 2]), ("b", "I8", [1], [3])]))
    } _: {
      if case .duplicateTensor("b", _, _) = $0 { true } else { false }
    }
  }

  @Test(arguments: [
    "../1.safetensors", "/tmp/1.safetensors", "x/../1.safetensors", "./1.safetensors", "",
    "x//1.safetensors", "1.safetensors\\u0000",
  ])
  func anIndexThatLeavesTheFolder(shard: String) throws {
    try expectError("{\"a\":\"\(shard)\"}") {
      if case .shardOutsideFolder(_, _, "a") = $0 { true } else { false }
    }
  }

  @Test func anIndexOfOtherFiles() throws {
    try expectError(#"{"a":"pytorch_model.bin"}"#) {
      if case .unsupportedFile = $0 { true } else { false }
    }
  }

  @Test func anEmptyIndex() throws {
    try expectError("{}") { if case .indexWithoutWeights = $0 { true } else { false } }
  }

  @Test func aTensorTwiceInTheIndex() throws {
    try expectError(#"{"a":"1.safetensors","a":"2.safetensors"}"#) {
      if case .json(let error) = $0 { error.problem == .duplicateKey("a") } else { false }
    }
  }

  @Test func aTruncatedShard() throws {
    try expectError(Self.whole) { folder in
      let path = folder.appending("2.safetensors")
      try writeFile(path, Array(try contents(path).dropLast()))
    } _: {
      if case .offsetsPastEnd(_, _, 4, 3) = $0 { true } else { false }
    }
  }

  @Test(arguments: ["", "[]", "{\"a\":1,\"a\":2}", "{,}"])
  func aBrokenConfiguration(text: String) throws {
    try expectError(Self.whole) { folder in
      try writeFile(folder.appending("config.json"), Array(text.utf8))
    } _: {
      switch $0 {
      case .json(let error): error.file.lastComponent == "config.json"
      case .configNotAnObject: true
      default: false
      }
    }
  }

  @Test func aFolderWithoutWeights() throws {
    try withTemporaryFolder { folder in
      let empty = #expect(throws: CheckpointsError.self) { try Checkpoint(path: folder) }
      #expect(empty?.kind == .notFound && empty?.description.contains("empty") == true)
      try writeFile(folder.appending("model.onnx"), [1])
      let other = #expect(throws: CheckpointsError.self) { try Checkpoint(path: folder) }
      #expect(other?.kind == .notFound)
      #expect(other?.description.contains("model.onnx") == true)
    }
  }

  @Test func pathsThatAreNotThere() throws {
    let missing = #expect(throws: CheckpointsError.self) { try Checkpoint(path: "/no/such/path") }
    #expect(missing?.kind == .notFound)
    try withTemporaryFolder { folder in
      let file = folder.appending("x.gguf")
      try writeFile(file, [1])
      let below = #expect(throws: CheckpointsError.self) {
        try Checkpoint(path: file.appending("y"))
      }
      #expect(below?.kind == .notFound)
      let other = #expect(throws: CheckpointsError.self) { try Checkpoint(path: file) }
      #expect(other?.kind == .invalidInput)
    }
  }
}
