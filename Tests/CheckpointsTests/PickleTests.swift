import Bytes
@testable import Checkpoints
import SystemPackage
import Testing

/// The pickle machine on programs written by hand: what it knows, and every refusal.
struct PickleTests {
  static func run(_ program: [UInt8]) throws -> (PickleValue, PickleMachine) {
    var machine = PickleMachine(bytes: program, path: "x.pkl", baseOffset: 1000)
    return (try machine.run(), machine)
  }

  /// A program of texts and opcodes.
  static func program(_ parts: any Sequence<UInt8>...) -> [UInt8] {
    [0x80, 2] + parts.flatMap { Array($0) } + [0x2E]
  }

  static func global(_ module: String, _ name: String) -> [UInt8] {
    Array("c\(module)\n\(name)\n".utf8)
  }

  @Test func constants() throws {
    let programs: [([UInt8], PickleValue)] = [
      (Array("N".utf8), .none), ([0x88], .boolean(true)), ([0x89], .boolean(false)),
      ([0x4B, 200], .integer(200)), ([0x4D, 1, 2], .integer(513)),
      ([0x4A, 0xFE, 0xFF, 0xFF, 0xFF], .integer(-2)),
      ([0x8A, 0], .integer(0)), ([0x8A, 1, 0xFF], .integer(-1)),
      ([0x8A, 2, 0xFF, 0], .integer(255)),
      ([0x8A, 8, 0, 0, 0, 0, 0, 0, 0, 0x80], .integer(.min)),
      ([0x58, 2, 0, 0, 0, 0xC3, 0xA9], .text("é")), ([0x8C, 1, 0x61], .text("a")),
      ([0x8D, 1, 0, 0, 0, 0, 0, 0, 0, 0x61], .text("a")), ([0x55, 1, 0x61], .text("a")),
      ([0x47, 0, 0, 0, 0, 0, 0, 0, 0], .number), ([0x43, 2, 1, 2], .bytes),
      (Array("N0N".utf8), .none), (Array("(NN1N".utf8), .none),
      (Array("Nq\u{5}0h\u{5}".utf8), .none), ([0x4E, 0x94, 0x30, 0x68, 0], .none),
    ]
    for (program, value) in programs {
      #expect(try Self.run(Self.program(program)).0 == value, "\(program)")
    }
  }

  @Test func orderedDictsOfPairs() throws {
    // OrderedDict([("a", 1)])
    let (value, machine) = try Self.run(
      Self.program(
        Self.global("collections", "OrderedDict"),
        [0x5D, 0x8C, 1, 0x61, 0x4B, 1, 0x86, 0x61, 0x85, 0x52]))
    guard case .dictionary(let index) = value else { return #expect(Bool(false), "\(value)") }
    #expect(machine.dictionaries[index].map(\.key) == [.text("a")])
    #expect(machine.dictionaries[index].map(\.value) == [.integer(1)])
  }

  @Test func knotsAndDepthAreHarmless() throws {
    // A list that holds itself, and a million tuples each within the next.
    _ = try Self.run(Self.program([0x5D, 0x71, 0, 0x68, 0, 0x61]))
    let deep = Self.program([0x29], [UInt8](repeating: 0x85, count: 1_000_000))
    guard case .tuple = try Self.run(deep).0 else { return #expect(Bool(false)) }
  }

  /// The byte of the opcode that is refused, and what is said.
  static let refusals: [(program: [UInt8], byteOffset: Int, reason: String)] = [
    (program(global("os", "system")), 2, "opcode GLOBAL asks for os.system,"),
    (program(global("torch", "load")), 2, "opcode GLOBAL asks for torch.load,"),
    (program(global("torch", "QInt8Storage")), 2, "opcode GLOBAL asks for torch.QInt8Storage,"),
    (program([0x8C, 2, 0x6F, 0x73, 0x8C, 1, 0x78, 0x93]), 9, "opcode STACK_GLOBAL asks for os.x,"),
    (program([0x4E, 0x4E, 0x93]), 4, "opcode STACK_GLOBAL needs two texts"),
    (program(Array("ios\nsystem\n".utf8)), 2, "opcode INST, which"),
    (program(Array("(o".utf8)), 3, "opcode OBJ, which"),
    (program(Array("I1\n".utf8)), 2, "opcode INT, which"),
    (program(Array("Pabc\n".utf8)), 2, "opcode PERSID, which"),
    (program([0x81]), 2, "opcode NEWOBJ, which"),
    (program([0x92]), 2, "opcode NEWOBJ_EX, which"),
    (program([0x82, 1]), 2, "opcode EXT1, which"),
    (program([0x96]), 2, "opcode BYTEARRAY8, which"),
    (program([0x8F]), 2, "opcode EMPTY_SET, which"),
    (program([0xFF]), 2, "opcode 0xFF, which"),
    (program([0x29, 0x29, 0x52]), 4, "opcode REDUCE is not allowed on what is no function"),
    (
      program(global("torch", "FloatStorage"), [0x29, 0x52]), 23,
      "opcode REDUCE is not allowed on a torch storage of F32"
    ),
    (
      program(global("torch", "float32"), [0x29, 0x52]), 18,
      "opcode REDUCE is not allowed on the torch dtype of F32"
    ),
    (
      program(global("collections", "OrderedDict"), [0x4E, 0x52]), 28,
      "opcode REDUCE needs a tuple of arguments"
    ),
    (
      program(global("collections", "OrderedDict"), [0x4E, 0x85, 0x52]), 29,
      "opcode REDUCE needs a list of pairs"
    ),
    (
      program(global("torch._utils", "_rebuild_tensor_v2"), [0x29, 0x52]), 36,
      "opcode REDUCE needs the arguments of torch._utils._rebuild_tensor_v2"
    ),
    (
      program(global("torch._utils", "_rebuild_parameter"), [0x4E, 0x85, 0x52]), 37,
      "opcode REDUCE needs the arguments of torch._utils._rebuild_parameter"
    ),
    (program([0x4E, 0x7D, 0x62]), 4, "opcode BUILD is not allowed on anything but"),
    (program([0x7D, 0x4E, 0x62]), 4, "opcode BUILD is not allowed on anything but"),
    (program([0x4E, 0x51]), 3, "opcode BINPERSID needs the tuple of a storage"),
    (program([0x29, 0x51]), 3, "opcode BINPERSID needs the tuple of a storage"),
    (program([0x30]), 2, "opcode POP finds nothing"),
    (program([0x4E, 0x28, 0x30]), 4, "opcode POP finds nothing"),
    (program([0x4E, 0x86]), 3, "opcode TUPLE2 finds nothing"),
    (program([0x74]), 2, "opcode TUPLE finds no mark"),
    (program([0x4E, 0x4E, 0x61]), 4, "opcode APPEND needs a list"),
    (program([0x7D, 0x28, 0x4E, 0x75]), 5, "opcode SETITEMS needs a dict and pairs"),
    (program([0x68, 7]), 2, "memo 7 was never set"),
    (program([0x8C, 1, 0xFF]), 2, "text of opcode SHORT_BINUNICODE is not UTF-8"),
    (program([0x8A, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1]), 2, "a whole number of 9 bytes"),
    (program([0x58, 0xFF, 0xFF, 0xFF, 0xFF]), 2, "the pickle ends here"),
    (program([0x8D] + [UInt8](repeating: 0xFF, count: 8)), 2, "the pickle ends here"),
    (program([0x63] + [UInt8](repeating: 0x61, count: 2000)), 2, "more than 1024 bytes in a name"),
    ([0x80, 6, 0x4E, 0x2E], 0, "pickle protocol 6"),
    ([0x80, 1, 0x4E, 0x2E], 0, "pickle protocol 1"),
    ([0x4E], 1, "the pickle ends here"),
    ([], 0, "the pickle ends here"),
    ([0x2E], 0, "opcode STOP finds nothing"),
    (
      program([UInt8](repeating: 0x4E, count: PickleMachine.stackLimit + 1)),
      PickleMachine.stackLimit + 2, "the pickle has more than"
    ),
  ]

  @Test(arguments: refusals.indices) func refuses(index: Int) throws {
    let (program, byteOffset, reason) = Self.refusals[index]
    let error = #expect(throws: CheckpointsError.self) { try Self.run(program) }
    let description = try #require(error?.description)
    #expect(description.hasPrefix("x.pkl: byte \(1000 + byteOffset): "), "\(description)")
    #expect(description.contains(reason), "\(description)")
  }

  /// A list may be used for many ordered dicts, but not for ever more.
  @Test func pairsAreLimited() {
    let pair: [UInt8] = [0x8C, 1, 0x61, 0x4E, 0x86]
    var program: [UInt8] = [0x80, 2] + Self.global("collections", "OrderedDict") + [0x71, 0, 0x5D]
    program += [0x71, 1, 0x28] + pair + [0x71, 2]
    program += [UInt8](repeating: 0x32, count: 500_000) + [0x65]
    for _ in 0..<10 { program += [0x68, 0, 0x68, 1, 0x85, 0x52, 0x30] }
    let error = #expect(throws: CheckpointsError.self) { try Self.run(program + [0x2E]) }
    #expect(error?.description.contains("pairs") == true)
  }
}
