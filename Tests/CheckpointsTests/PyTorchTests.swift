import Bytes
import Checkpoints
import FixtureSupport
import SystemPackage
import Tensors
import Testing

/// Agreement with torch and numpy (fixtures/pytorch, made by scripts/fixtures/make_pytorch.py).
struct PyTorchTests {
  /// The state dict as torch loads it, and safetensors wrote it.
  static func expected() throws -> Checkpoint {
    try Checkpoint(path: Fixtures.path("pytorch/expected.safetensors"))
  }

  /// Compares names, dtypes, shapes and every byte, whole and in uneven pieces.
  static func compare(_ checkpoint: Checkpoint, names: Set<String>) throws {
    let expected = try expected()
    #expect(Set(checkpoint.tensors.map(\.name)) == names)
    #expect(
      checkpoint.tensors.map { Array($0.name.utf8) }
        == checkpoint.tensors.map { Array($0.name.utf8) }.sorted {
          $0.lexicographicallyPrecedes($1)
        })
    for tensor in checkpoint.tensors {
      let same = try #require(expected[tensor.name])
      #expect(tensor.dtype == same.dtype, "\(tensor.name)")
      #expect(tensor.shape == same.shape, "\(tensor.name)")
      #expect(tensor.byteCount == same.byteCount, "\(tensor.name)")
      #expect(
        tensor.byteRange.upperBound <= checkpoint.files[tensor.fileIndex].byteCount,
        "\(tensor.name)")
      let want = try expected.bytes(of: same)
      #expect(try checkpoint.bytes(of: tensor) == want, "\(tensor.name)")
      for start in stride(from: 0, to: want.count, by: 7) {
        var piece = [UInt8](repeating: 0xEE, count: min(7, want.count - start))
        var span = piece.mutableRawSpan
        try checkpoint.read(tensor, from: start, into: &span)
        #expect(piece[...] == want[start..<start + piece.count], "\(tensor.name) \(start)")
      }
      #expect(throws: CheckpointsError.self) {
        var piece = [UInt8](repeating: 0, count: 2)
        var span = piece.mutableRawSpan
        try checkpoint.read(tensor, from: want.count - 1, into: &span)
      }
    }
  }

  static func allNames() throws -> Set<String> { Set(try expected().tensors.map(\.name)) }

  /// The names of the files that hold no dtype of after version 2.0.
  static func plainNames() throws -> Set<String> {
    try allNames().filter { !$0.hasPrefix("f8") && !$0.hasPrefix("u1") }
  }

  @Test(arguments: ["zip.bin", "deflated.pt"]) func everyTensor(file: String) throws {
    let checkpoint = try Checkpoint(path: Fixtures.path("pytorch/\(file)"))
    let names = try Self.allNames()
    #expect(names.count == 27)
    try Self.compare(checkpoint, names: names)
    #expect(checkpoint.files.count == 1 && checkpoint.config == nil)
    #expect(checkpoint.files[0].headerByteCount > 1000)
  }

  @Test(arguments: ["legacy.bin", "wrapped.pt", "protocol4.pth"])
  func otherForms(file: String) throws {
    try Self.compare(
      try Checkpoint(path: Fixtures.path("pytorch/\(file)")), names: try Self.plainNames())
  }

  @Test func shards() throws {
    let checkpoint = try Checkpoint(path: Fixtures.path("pytorch/sharded"))
    #expect(checkpoint.files.count == 2)
    #expect(checkpoint.config?["model_type"]?.string == "none")
    #expect(checkpoint.unreadFiles.isEmpty)
    try Self.compare(checkpoint, names: try Self.plainNames())
  }

  @Test func safetensorsComeFirst() throws {
    try withTemporaryFolder { folder in
      let zip = try contents(Fixtures.path("pytorch/zip.bin"))
      try writeFile("pytorch_model.bin", in: folder, zip)
      try Self.compare(try Checkpoint(path: folder), names: try Self.allNames())
      try writeFile("training_args.bin", in: folder, [1, 2, 3])
      try writeFile(
        "model.safetensors", in: folder,
        SafetensorsBytes.file([("a", "U8", [1], [7])]))
      let checkpoint = try Checkpoint(path: folder)
      #expect(checkpoint.tensors.map(\.name) == ["a"])
      #expect(
        checkpoint.unreadFiles.compactMap { $0.lastComponent?.string }
          == ["pytorch_model.bin", "training_args.bin"])
    }
  }

  @Test func tensorsOfOneStorageLieInTheSamePlace() throws {
    let checkpoint = try Checkpoint(path: Fixtures.path("pytorch/zip.bin"))
    let (a, b) = (checkpoint["tied.a"], checkpoint["tied.b"])
    #expect(a != nil && a?.byteRange == b?.byteRange)
    // The values of a contiguous tensor lie in the file as they are needed.
    let matrix = try #require(checkpoint["matrix"])
    #expect(
      try contents(Fixtures.path("pytorch/zip.bin"))[matrix.byteRange]
        == checkpoint.bytes(of: matrix)[...])
  }

  @Test func aChangedNameChangesTheHeaderChecksum() throws {
    let source = try contents(Fixtures.path("pytorch/legacy.bin"))
    let name = try #require(source.firstRange(of: Array("matrix".utf8)))
    var changed = source
    changed[name.lowerBound] = UInt8(ascii: "M")
    let files = try [source, changed].map {
      try PyTorchFile(source: ByteSource(bytes: $0, path: "x.bin"))
    }
    #expect(files[0].headerChecksum != files[1].headerChecksum)
    #expect(files[0].headerByteCount == files[1].headerByteCount)
    #expect(files[1].tensors.contains { $0.name == "Matrix" })
  }

  @Test(arguments: [
    "tokens.npz", "tokens-deflated.npz", "tokens.npy", "fortran.npy", "version2.npy",
    "version3.npy",
  ])
  func tokens(file: String) throws {
    let checkpoint = try Checkpoint(path: Fixtures.path("pytorch/\(file)"))
    let ids = try #require(checkpoint["input_ids"])
    #expect(ids.shape.dimensions == [2, 3])
    #expect(ids.dtype == (file == "tokens.npy" ? .i32 : .i64))
    #expect(try checkpoint.integers(of: ids) == [3, 1, 4, 1, 5, 9])
  }
}
