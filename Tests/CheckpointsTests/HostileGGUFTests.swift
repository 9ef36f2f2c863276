import Bytes
import Checkpoints
import FixtureSupport
import SystemPackage
import Testing

/// GGUF files that must be refused, each for its own reason and at its byte.
struct HostileGGUFTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var bytes: [UInt8]
    var byteOffset: Int
    var message: String

    init(_ byteOffset: Int, _ message: String, _ change: (inout GGUFBytes) -> Void) {
      testDescription = message
      self.byteOffset = byteOffset
      self.message = message
      var file = GGUFBytes(.init("a", [32, 2], type: 8), data: [UInt8](repeating: 0, count: 68))
      change(&file)
      bytes = file.file
    }

    /// A file of one key.
    init(key: String, type: UInt32, _ value: [UInt8], _ byteOffset: Int, _ message: String) {
      self.init(byteOffset, message) { $0.keys = [GGUFBytes.key(key, type: type, value)] }
    }
  }

  static func array(_ type: UInt32, _ count: UInt64, _ elements: [UInt8] = []) -> [UInt8] {
    GGUFBytes.number(type) + GGUFBytes.number(count) + elements
  }

  // The first key's type lies at byte 24 + 8 + its length; the tensor's description at byte 24.
  static let cases: [Case] = [
    Case(0, "must begin with \"GGUF\"") { $0.magic = Array("GGML".utf8) },
    Case(4, "big-endian") { $0.version = 0x0300_0000 },
    Case(4, "version 1 is not read") { $0.version = 1 },
    Case(4, "version 4 is not read") { $0.version = 4 },
    Case(8, "tensors cannot be in the") { $0.tensorCount = .max },
    Case(8, "1000 tensors cannot be in the") { $0.tensorCount = 1000 },
    Case(16, "metadata keys cannot be in the") { $0.keyCount = 1 << 62 },
    Case(24, "the name of metadata key 0 is empty") { $0.keys = [GGUFBytes.key("", type: 0, [1])] },
    Case(32, "the name of metadata key 0 is not UTF-8") {
      $0.keys = [GGUFBytes.number(UInt64(1)) + [0xFF] + GGUFBytes.number(UInt32(0)) + [1]]
    },
    Case(24, "bytes of the name of metadata key 0 cannot be in the") {
      $0.keys = [GGUFBytes.number(UInt64.max) + [0x61, 0, 0, 0, 0, 0]]
    },
    Case(38, "the metadata has k twice") {
      $0.keys = [GGUFBytes.key("k", type: 0, [1]), GGUFBytes.key("k", type: 0, [1])]
    },
    Case(key: "k", type: 13, [1], 33, "the unknown type 13"),
    Case(key: "k", type: 7, [2], 37, "the value of k is 2"),
    Case(key: "k", type: 8, GGUFBytes.number(UInt64.max), 37, "bytes of k cannot be in the"),
    Case(key: "k", type: 9, array(13, 0), 37, "the unknown type 13"),
    Case(key: "k", type: 9, array(0, .max), 41, "elements of k cannot be in the"),
    Case(key: "k", type: 9, array(12, 1 << 60), 41, "elements of k cannot be in the"),
    Case(key: "k", type: 9, array(8, 100, [0, 0, 0]), 41, "100 elements of k cannot be in the"),
    Case(
      key: "k", type: 9, (0..<8).flatMap { _ in array(9, 1) } + array(0, 0), 37 + 8 * 12,
      "nested deeper than 8 levels"),
    Case(
      key: "general.alignment", type: 4, GGUFBytes.number(UInt32(24)), 49,
      "general.alignment is 24"),
    Case(
      key: "general.alignment", type: 4, GGUFBytes.number(UInt32(0)), 49, "general.alignment is 0"),
    Case(
      key: "general.alignment", type: 10, GGUFBytes.number(UInt64(32)), 49,
      "general.alignment is 32"),
    Case(24, "the name of tensor 0 is empty") { $0.tensors[0].name = "" },
    Case(33, "5 dimensions") { $0.tensors[0].dimensions = [1, 1, 1, 1, 1] },
    Case(37, "the shape of tensor a overflows") { $0.tensors[0].dimensions = [.max] },
    Case(37, "the shape of tensor a overflows") { $0.tensors[0].dimensions = [1 << 40, 1 << 40] },
    Case(37, "the shape of tensor a overflows") {
      $0.tensors[0].dimensions = [1 << 62]
      $0.tensors[0].type = 0
    },
    Case(37, "no whole blocks of 32 of type Q8_0") { $0.tensors[0].dimensions = [33, 2] },
    Case(37, "no whole blocks of 256 of type Q4_K") { $0.tensors[0].type = 12 },
    Case(53, "of type Q8_1, which is not read") { $0.tensors[0].type = 9 },
    Case(53, "of type Q4_2 (given up by ggml)") { $0.tensors[0].type = 4 },
    Case(53, "of type 1000, which") { $0.tensors[0].type = 1000 },
    Case(57, "begins at byte 8 of the data") { $0.tensors[0].offset = 8 },
    Case(57, "it is truncated") { $0.tensors[0].offset = 32 },
    Case(57, "it is truncated") { $0.tensors[0].offset = UInt64.max - 31 },
    Case(57, "it is truncated") { $0.tensors[0].dimensions = [32, 1 << 50] },
    Case(57, "it is truncated") { $0.data.removeLast() },
    Case(65, "tensor a is there twice") { $0.tensors.append($0.tensors[0]) },
    Case(128, "tensor b overlaps tensor a") {
      $0.tensors.append(.init("b", [32, 3], type: 8))
      $0.data += [UInt8](repeating: 0, count: 40)
    },
    Case(96, "32 bytes belong to no tensor") {
      $0.tensors[0].offset = 32
      $0.data += [UInt8](repeating: 0, count: 32)
    },
    Case(164, "92 bytes belong to no tensor") { $0.data += [UInt8](repeating: 0, count: 92) },
  ]

  @Test(arguments: cases) func refuses(hostile: Case) throws {
    #expect {
      try GGUFFile(beginning: hostile.bytes.rawSpan, path: "x.gguf", byteCount: hostile.bytes.count)
    } throws: { error in
      guard case .gguf(let found)? = error as? CheckpointsError else { return false }
      #expect(found.byteOffset == hostile.byteOffset, "\(found.description)")
      #expect(found.description.contains(hostile.message), "\(found.description)")
      return found.kind == .invalidInput && !found.description.contains("\n")
    }
  }

  /// The same file, unharmed, and other files that are odd and sound.
  @Test func readsTheSoundFile() throws {
    var file = GGUFBytes(.init("a", [32, 2], type: 8), data: [UInt8](repeating: 0, count: 68))
    #expect(try probe(file.file) == ["a"])
    file.version = 2
    #expect(try probe(file.file) == ["a"])
    #expect(try probe(GGUFBytes().file) == [])
    file.tensors.append(.init("b", [], type: 0, offset: 96))
    file.data += [UInt8](repeating: 0, count: 60)
    #expect(try probe(file.file) == ["a", "b"])
    file.keys = [GGUFBytes.key("general.alignment", type: 4, GGUFBytes.number(UInt32(1)))]
    file.alignment = 1
    file.tensors[1].offset = 68
    file.data = [UInt8](repeating: 0, count: 72)
    #expect(try probe(file.file) == ["a", "b"])
  }

  private func probe(_ bytes: [UInt8]) throws -> [String] {
    let file = try GGUFFile(beginning: bytes.rawSpan, path: "x.gguf", byteCount: bytes.count)
    let isSound = probeGGUF(bytes.rawSpan)
    #expect(isSound)
    return try #require(file).tensors.map(\.name)
  }

  @Test func refusesEveryTruncation() throws {
    let whole = try contents(Fixtures.path("gguf/tiny.gguf"))
    let file = try #require(
      try GGUFFile(beginning: whole.rawSpan, path: "x.gguf", byteCount: whole.count))
    let ends = Array(0..<file.headerByteCount) + [whole.count - 32, whole.count / 2]
    for count in ends {
      let bytes = Array(whole[..<count])
      #expect(throws: CheckpointsError.self) {
        try GGUFFile(beginning: bytes.rawSpan, path: "x.gguf", byteCount: count)
      }
    }
  }
}
