import Bytes
import Checkpoints
import FixtureSupport
import SystemPackage
import Tensors
import Testing

/// GGUF headers, those that gguf-py wrote and those of parts.
struct GGUFTests {
  @Test func readsWhatGGUFPyWrote() throws {
    let checkpoint = try Checkpoint(path: Fixtures.path("gguf/tiny.gguf"))
    let config = try #require(checkpoint.config)
    #expect(config["general.architecture"] == .string("llama"))
    #expect(config["llama.embedding_length"] == .integer(256))
    #expect(config["llama.attention.layer_norm_rms_epsilon"] == .number(Double(Float(1e-5))))
    let numbers: [String: JSONValue] = [
      "uint8": .integer(200), "int8": .integer(-100), "uint16": .integer(60000),
      "int16": .integer(-30000), "uint32": .integer(4_000_000_000),
      "int32": .integer(-2_000_000_000), "uint64": .unsigned(.max), "int64": .integer(-(1 << 62)),
      "float64": .number(0.1), "bool": .bool(true), "string": .string("größer"),
      "integers": .array([.integer(1), .integer(-2), .integer(3)]),
      "strings": .array([.string("a"), .string(""), .string("c")]),
      "nested": .array([.array([.integer(1), .integer(2)]), .array([.integer(3)])]),
    ]
    for (name, value) in numbers { #expect(config["test.\(name)"] == value) }
    let shapes: [String: ([Int], BlockFormat?, DType)] = [
      "token_embd.weight": ([64, 256], .q8_0, .u8), "output_norm.weight": ([256], nil, .f32),
      "blk.0.attn_norm.weight": ([256], nil, .f32),
      "blk.0.ffn_gate.weight": ([96, 256], .q4K, .u8),
      "blk.0.ffn_up.weight": ([96, 256], .q4_0, .u8),
      "blk.0.ffn_down.weight": ([256, 96], nil, .bf16),
      "blk.0.attn_q.weight": ([256, 256], nil, .f16),
      "blk.0.ffn_gate_exps.weight": ([2, 3, 64], .mxfp4, .u8),
    ]
    #expect(checkpoint.tensors.count == shapes.count)
    for tensor in checkpoint.tensors {
      let (shape, blocks, dtype) = try #require(shapes[tensor.name])
      #expect(tensor.valueShape.dimensions == shape)
      #expect(tensor.blocks == blocks && tensor.dtype == dtype)
    }
    let norm = try checkpoint.floats(of: #require(checkpoint["output_norm.weight"]))
    #expect(norm.contains { $0 != 0 } && norm.allSatisfy { $0.magnitude < 1 })
    #expect(throws: CheckpointsError.self) {
      try checkpoint.floats(of: #require(checkpoint["token_embd.weight"]))
    }
  }

  @Test func knowsHowLargeBlocksAre() {
    #expect(BlockFormat.allCases.count == 23)
    for format in BlockFormat.allCases {
      let blocks = [UInt8](repeating: 0, count: format.bytesPerBlock)
      var values = [Float](repeating: 1, count: format.elementsPerBlock)
      var span = values.mutableSpan
      format.decode(blocks.span, into: &span)
      #expect(values.allSatisfy { $0.magnitude < 0x1p-100 }, "\(format.name)")
    }
  }

  @Test func passesOverVocabularies() throws {
    var bytes = GGUFBytes()
    let tokens = (0..<5000).flatMap { GGUFBytes.string("token \($0)") }
    let scores = [UInt8](repeating: 0, count: 4 * 5000)
    let count = GGUFBytes.number(UInt64(5000))
    bytes.keys = [
      GGUFBytes.key("tokens", type: 9, GGUFBytes.number(UInt32(8)) + count + tokens),
      GGUFBytes.key("scores", type: 9, GGUFBytes.number(UInt32(6)) + count + scores),
    ]
    bytes.add("last", text: "x")
    let file = try #require(try read(bytes.file))
    for key in ["tokens", "scores"] {
      #expect(file.metadata[key] == .object(["element_count": .integer(5000)]))
    }
    #expect(file.metadata["last"] == .string("x"))
  }

  @Test func asksForMoreOfALongHeader() throws {
    let whole = try contents(Fixtures.path("gguf/tiny.gguf"))
    let file = try #require(try read(whole))
    for count in stride(from: 0, to: file.headerByteCount, by: 7) {
      #expect(try read(Array(whole[..<count]), byteCount: whole.count) == nil)
    }
  }

  private func part(_ number: UInt16, of count: UInt16, total: UInt16, _ tensor: String) -> [UInt8]
  {
    var bytes = GGUFBytes(.init(tensor, [4], type: 24), data: [1, 2, 3, UInt8(number)])
    bytes.add("general.name", text: "part \(number)")
    bytes.add("split.no", number: number)
    bytes.add("split.count", number: count)
    bytes.add("split.tensors.count", number: total)
    return bytes.file
  }

  @Test func readsAllPartsFromAnyOfThem() throws {
    try withTemporaryFolder { folder in
      let paths = (1...3).map { folder.appending("m-0000\($0)-of-00003.gguf") }
      for (index, path) in paths.enumerated() {
        try writeFile(path, part(UInt16(index), of: 3, total: 3, "t\(index)"))
      }
      for path in paths {
        let checkpoint = try Checkpoint(path: path)
        #expect(checkpoint.tensors.map(\.name) == ["t0", "t1", "t2"])
        #expect(checkpoint.files.map(\.path) == paths)
        #expect(checkpoint.config?["general.name"] == .string("part 0"))
        #expect(try checkpoint.bytes(of: #require(checkpoint["t2"])) == [1, 2, 3, 2])
      }
      try writeFile(paths[1], part(1, of: 3, total: 4, "t0"))
      #expect(throws: CheckpointsError.self) { try Checkpoint(path: paths[0]) }
      try writeFile(paths[1], part(0, of: 3, total: 3, "t1"))
      #expect { try Checkpoint(path: paths[0]) } throws: { "\($0)".contains("split.no") }
      let other = folder.appending("renamed.gguf")
      try writeFile(other, part(0, of: 3, total: 3, "t0"))
      #expect { try Checkpoint(path: other) } throws: { "\($0)".contains("-of-00003.gguf") }
      let lone = folder.appending("n-00001-of-00002.gguf")
      try writeFile(lone, part(0, of: 2, total: 2, "t0"))
      #expect { try Checkpoint(path: lone) } throws: { error in
        guard case .file(.notFound(let path))? = error as? CheckpointsError else { return false }
        return path == folder.appending("n-00002-of-00002.gguf")
      }
    }
  }

  private func read(_ bytes: [UInt8], byteCount: Int? = nil) throws -> GGUFFile? {
    try GGUFFile(beginning: bytes.rawSpan, path: "x.gguf", byteCount: byteCount ?? bytes.count)
  }
}
