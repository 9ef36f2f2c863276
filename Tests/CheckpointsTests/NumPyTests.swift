import Bytes
@testable import Checkpoints
import SystemPackage
import Tensors
import Testing

/// Headers of NumPy arrays, by hand; real files are in PyTorchTests.
struct NumPyTests {
  static func array(
    _ header: String, version: UInt8 = 1, data: [UInt8] = [1, 0, 2, 0]
  ) -> [UInt8] {
    let length = header.utf8.count
    let count = (0..<(version == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + count + Array(header.utf8) + data
  }

  static func open(_ bytes: [UInt8]) throws -> NumPyFile {
    try NumPyFile(source: ByteSource(bytes: bytes, path: "x.npy"), isArchive: false)
  }

  static let sound = "{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }  \n"

  @Test func readsWhatNumPyWrites() throws {
    for version in [UInt8(1), 2, 3] {
      let file = try Self.open(Self.array(Self.sound, version: version))
      #expect(file.tensors.map(\.name) == ["input_ids"])
      #expect(file.tensors.map(\.dtype) == [.u16])
      #expect(file.tensors.map(\.shape.dimensions) == [[2]])
    }
    let other = "{'shape': (1, 2), 'fortran_order': True, 'descr': '<u2'}"
    #expect(try Self.open(Self.array(other)).tensors.map(\.shape.dimensions) == [[1, 2]])
  }

  @Test(arguments: [
    ("no NumPy array", [1, 2, 3]),
    ("version 4 of the format", array(sound, version: 4)),
    ("header is truncated", Array(array(sound).prefix(40))),
    ("the three fields", array("{'descr': '<u2', 'fortran_order': False}")),
    ("the three fields", array("{'descr': '<u2', 'descr': '<u2', 'shape': (2,)}")),
    ("the three fields", array("{'descr': '<u2', 'fortran_order': 0, 'shape': (2,)}")),
    ("the three fields", array("{'descr': '<u2', 'fortran_order': False, 'shape': 2}")),
    ("the three fields", array("{'descr': '<u2', 'fortran_order': False, 'shape': (-2,)}")),
    ("the three fields", array("{'descr': '<u2', 'fortran_order': False, 'shape': (x,)}")),
    ("the three fields", array("{'descr': '<u2', 'fortran_order': False, 'shape': (2,)")),
    ("the three fields", array(sound + "x")),
    ("the three fields", array("")),
    ("its dtype '>u2'", array("{'descr': '>u2', 'fortran_order': False, 'shape': (2,)}")),
    (
      "its dtype [('a', '<u2')]",
      array("{'descr': [('a', '<u2')], 'fortran_order': False, 'shape': (2,)}")
    ),
    (
      "overflows",
      array("{'descr': '<u2', 'fortran_order': False, 'shape': (4611686018427387904, 4)}")
    ),
    (
      "needs 6 bytes and it has 4", array("{'descr': '<u2', 'fortran_order': False, 'shape': (3,)}")
    ),
    ("needs 2 bytes and it has 4", array("{'descr': '<u2', 'fortran_order': False, 'shape': ()}")),
  ])
  func refuses(reason: String, bytes: [UInt8]) throws {
    let error = #expect(throws: CheckpointsError.self) { try Self.open(bytes) }
    #expect(
      error?.description.contains("x.npy: array input_ids: ") == true
        && error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }
}
