import Bytes
import Checkpoints
import FixtureSupport
import SystemPackage
import Testing

/// Files that torch would load, perhaps running what they ask for, and that are refused by name.
struct PyTorchRefusalTests {
  static let refused: [(file: String, reason: String)] = [
    ("training_args.bin", "opcode GLOBAL asks for argparse.Namespace"),
    ("runs.bin", "opcode GLOBAL asks for __builtin__.print"),
    ("runs-legacy.bin", "opcode GLOBAL asks for __builtin__.print"),
    ("quantized.bin", "opcode GLOBAL asks for torch._utils._rebuild_qtensor"),
    ("complex128.bin", "opcode GLOBAL asks for torch.ComplexDoubleStorage"),
    ("sparse.bin", "opcode GLOBAL asks for torch._utils._rebuild_sparse_tensor"),
    ("numpy.bin", "opcode GLOBAL asks for numpy._core.multiarray.scalar"),
    ("module.bin", "opcode GLOBAL asks for torch.nn.modules.linear.Linear"),
    ("expanded.bin", "tensor e: its strides [0] use elements more than once"),
    ("nested.bin", "holds no tensors by name"),
    ("beside.bin", "b holds further tensors"),
    ("lone.bin", "holds no tensors by name"),
    ("big-endian.bin", "big-endian"),
    ("big-endian.npy", "dtype '>i8'"),
    ("objects.npy", "dtype '|O'"),
  ]

  @Test(arguments: refused) func isRefusedByName(file: String, reason: String) throws {
    let path = Fixtures.path("pytorch/refused/\(file)")
    let error = #expect(throws: CheckpointsError.self) { try Checkpoint(path: path) }
    let description = try #require(error?.description)
    #expect(description.hasPrefix("\(path): "), "\(description)")
    #expect(description.contains(reason), "\(description)")
    #expect(error?.kind == .invalidInput)
    if reason.hasPrefix("opcode") {
      // The byte that is named is the opcode, or the name's.
      let byte = try #require(
        description.split(separator: "byte ").last?.split(separator: ":").first.flatMap { Int($0) })
      #expect(try contents(path)[byte] == UInt8(ascii: "c"), "\(description)")
    }
  }

  @Test func neitherForm() throws {
    try withTemporaryFolder { folder in
      for bytes in [
        [], [1, 2, 3], Array("PK\u{3}\u{4}".utf8), [UInt8](repeating: 0x80, count: 99),
      ] {
        try writeFile("x.bin", in: folder, bytes)
        let error = #expect(throws: CheckpointsError.self) {
          try Checkpoint(path: folder.appending("x.bin"))
        }
        #expect(error?.kind == .invalidInput, "\(bytes)")
      }
    }
  }

  @Test func aShardOfAnotherKindIsRefused() throws {
    try withTemporaryFolder { folder in
      try writeFile(
        "pytorch_model.bin.index.json", in: folder,
        Array(#"{"weight_map": {"a": "model.safetensors"}}"#.utf8))
      let error = #expect(throws: CheckpointsError.self) { try Checkpoint(path: folder) }
      guard case .unsupportedFile = error else { return #expect(Bool(false), "\(error as Any)") }
    }
  }

  @Test(arguments: ["zip.bin", "legacy.bin", "deflated.pt", "tokens.npz", "tokens.npy"])
  func everyTruncationIsRefused(file: String) throws {
    let bytes = try contents(Fixtures.path("pytorch/\(file)"))
    for count in stride(from: 0, to: bytes.count, by: 13) {
      #expect(
        throws: CheckpointsError.self, "\(count)",
        performing: { try probe(Array(bytes[..<count]), as: file) })
    }
    #expect(throws: Never.self) { try probe(bytes, as: file) }
  }

  private func probe(_ bytes: [UInt8], as file: String) throws {
    try withTemporaryFolder { folder in
      try writeFile(file, in: folder, bytes)
      _ = try Checkpoint(path: folder.appending(file))
    }
  }
}
