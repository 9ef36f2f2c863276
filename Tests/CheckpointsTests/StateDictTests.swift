import Bytes
@testable import Checkpoints
import SystemPackage
import Tensors
import Testing

/// Tensors whose description does not fit their storage, in files made by hand.
struct StateDictTests {
  /// A program that leaves `{name: tensor}`, the tensor being of a Float32 storage `0` of 6
  /// elements.
  struct Description {
    var name = "w"
    var elementCount = 6
    var storage = "FloatStorage"
    var offset = 0
    var dimensions = [2, 3]
    var strides = [3, 1]
    var key = "0"

    var pickle: [UInt8] {
      func text(_ text: String) -> [UInt8] { [0x8C, UInt8(text.utf8.count)] + Array(text.utf8) }
      func integer(_ value: Int) -> [UInt8] {
        [0x8A, 8] + (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      }
      func tuple(_ values: [Int]) -> [UInt8] { [0x28] + values.flatMap(integer) + [0x74] }
      return [0x80, 2, 0x7D] + text(name) + PickleTests.global("torch._utils", "_rebuild_tensor_v2")
        + [0x28, 0x28] + text("storage") + PickleTests.global("torch", storage) + text(key)
        + text("cpu") + integer(elementCount) + [0x74, 0x51] + integer(offset) + tuple(dimensions)
        + tuple(strides) + [0x89] + PickleTests.global("collections", "OrderedDict")
        + [0x29, 0x52, 0x74, 0x52, 0x73, 0x2E]
    }

    func file(data: [UInt8] = Array(0..<24), byteOrder: String? = "little") -> [UInt8] {
      var entries = [
        ZipBytes.Entry(name: "x/data.pkl", bytes: pickle),
        ZipBytes.Entry(name: "x/data/0", bytes: data),
      ]
      if let byteOrder {
        entries.append(ZipBytes.Entry(name: "x/byteorder", bytes: Array(byteOrder.utf8)))
      }
      return ZipBytes(entries).bytes
    }
  }

  static func open(_ bytes: [UInt8]) throws -> PyTorchFile {
    try PyTorchFile(source: ByteSource(bytes: bytes, path: "x.bin"))
  }

  @Test func soundOnes() throws {
    #expect(try Self.open(Description().file()).tensors.map(\.shape.dimensions) == [[2, 3]])
    #expect(try Self.open(Description().file(byteOrder: nil)).tensors.count == 1)
    // Strides of dimensions of 1 are never used.
    let odd = Description(dimensions: [1, 6, 1], strides: [99, 1, .max])
    #expect(try Self.open(odd.file()).scattered.isEmpty)
    let transposed = Description(dimensions: [3, 2], strides: [1, 3])
    #expect(try Self.open(transposed.file()).scattered["w"]?.strides == [1, 3])
    let empty = Description(offset: 6, dimensions: [0, 7], strides: [7, 1])
    #expect(try Self.open(empty.file()).tensors.map(\.byteCount) == [0])
  }

  static let refusals: [(reason: String, file: [UInt8])] = [
    ("does not lie within the 6 elements of its storage 0", Description(offset: 1).file()),
    ("does not lie within", Description(dimensions: [3, 3]).file()),
    ("does not lie within", Description(dimensions: [2, 3], strides: [4, 1]).file()),
    ("does not lie within", Description(offset: 7, dimensions: [0], strides: [1]).file()),
    ("shape or strides overflow", Description(offset: .max).file()),
    ("shape or strides overflow", Description(dimensions: [2, 2], strides: [.max, .max]).file()),
    ("shape or strides overflow", Description(dimensions: [1 << 62, 4], strides: [0, 0]).file()),
    ("needs a storage, an offset", Description(offset: -1).file()),
    ("needs a storage, an offset", Description(dimensions: [-2, 3]).file()),
    ("needs a storage, an offset", Description(strides: [-3, 1]).file()),
    ("needs a storage, an offset", Description(dimensions: [6]).file()),
    ("needs a storage, an offset", Description(storage: "UntypedStorage").file()),
    ("use elements more than once", Description(strides: [0, 1]).file()),
    (
      "use elements more than once", Description(dimensions: [1 << 40, 2], strides: [0, 1]).file()
    ),
    ("its storage 1 is not in the file", Description(key: "1").file()),
    ("its storage ../0 is not in the file", Description(key: "../0").file()),
    ("should have 24 bytes and has 25", Description().file(data: [UInt8](repeating: 0, count: 25))),
    ("should have 24 bytes and has 0", Description().file(data: [])),
    ("needs the tuple of a storage", Description(elementCount: -1).file()),
    ("overflows 64 bits", Description(elementCount: .max).file()),
    ("asks for torch.QInt8Storage", Description(storage: "QInt8Storage").file()),
    ("big-endian machine", Description().file(byteOrder: "big")),
    ("exactly one data.pkl", ZipBytes([ZipTests.plain()]).bytes),
    (
      "exactly one data.pkl",
      ZipBytes(["x/data.pkl", "y/data.pkl"].map { ZipTests.plain($0) }).bytes
    ),
  ]

  @Test(arguments: refusals.indices) func refuses(index: Int) throws {
    let (reason, file) = Self.refusals[index]
    let error = #expect(throws: CheckpointsError.self) { try Self.open(file) }
    let description = try #require(error?.description)
    #expect(description.hasPrefix("x.bin: "), "\(description)")
    #expect(description.contains(reason), "\(description)")
  }

  @Test func aDamagedPickleIsNotRead() throws {
    var file = Description().file()
    let name = try #require(file.firstRange(of: [0x8C, 1, UInt8(ascii: "w")]))
    file[name.upperBound - 1] = UInt8(ascii: "v")
    let error = #expect(throws: CheckpointsError.self) { try Self.open(file) }
    #expect(error?.description.contains("checksum of the zip entry x/data.pkl is wrong") == true)
  }
}
