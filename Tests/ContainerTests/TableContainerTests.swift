import Bytes
import Container
import FixtureSupport
import Foundation
import Quantization
import SystemPackage
import Testing

@Suite("A file with tables of levels says so, and lies about them are found")
struct TableContainerTests {
  let folder = try! TemporaryFolder()
  let golden = Fixtures.path("container/tables.kelter")

  private func bytes(_ path: FilePath) throws -> [UInt8] {
    let file = try File(path: path)
    return try file.bytes(in: 0..<file.byteCount)
  }

  @Test func theWriterWritesTheFixture() throws {
    if ProcessInfo.processInfo.environment["KELTER_MAKE_FIXTURES"] != nil {
      try TableContainer.write(to: golden)
    }
    let path = folder.file("tables.kelter")
    try TableContainer.write(to: path)
    #expect(try bytes(path) == bytes(golden))
    #expect(try ContainerVerifier.verify(ContainerReader(path: path)) == [])
  }

  /// Readers of version 1.0 refuse required feature 0; only files that need it have it.
  @Test func theFeatureIsRequired() throws {
    let reader = try ContainerReader(path: golden)
    #expect(reader.requiredFeatures == .tables)
    #expect(reader.version == (1, 1))
    let tiny = try ContainerReader(path: Fixtures.path("container/tiny.kelter"))
    #expect(tiny.requiredFeatures == [])
    #expect(tiny.version == (1, 0))
  }

  /// Where the record of the first tensor, `lut3-g16`, lies: after metadata and strings.
  private static func record(_ bytes: [UInt8]) -> Int {
    let entry = 64 + 2 * 48 + 16
    return (0..<8).reduce(0) { $0 | Int(bytes[entry + $1]) << (8 * $1) }
  }

  /// Changes bytes, counted from the first tensor's record, and verifies.
  private func findings(
    _ changes: [(place: Int, value: UInt8)], isHeader: Bool = false
  ) throws -> [String] {
    var bytes = try bytes(golden)
    let start = isHeader ? 0 : Self.record(bytes)
    for (place, value) in changes { bytes[start + place] = value }
    bytes.mendHeaderChecksum()
    let path = folder.file("lie.kelter")
    try write(bytes, to: path)
    return try ContainerVerifier.verify(ContainerReader(path: path)).map(\.description)
  }

  private func write(_ bytes: [UInt8], to path: FilePath) throws {
    let output = try AtomicFile(path: path, replacing: true)
    try output.write(bytes.rawSpan, at: 0)
    try output.publish()
  }

  @Test(arguments: [
    Lie("no tables", at: 144, [0], "table count has the unknown value 0"),
    Lie("three tables", at: 144, [3], "table count has the unknown value 3"),
    Lie("many tables", at: 147, [255], "table count has the unknown value"),
    Lie("two tables for one", at: 144, [2], "byte count contradicts"),
    Lie("super-blocks of 128", at: 148, [128, 0], "super-block columns has the unknown value 128"),
    Lie("reserved", at: 152, [1], "not zero"),
    Lie("end of the record", at: 191, [1], "not zero"),
    Lie("no such encoding", at: 36, [4], "encoding has the unknown value 4"),
    Lie("an encoding without tables", at: 36, [2], "format or scale dtype"),
    Lie("codes that are no indices", at: 38, [4], "format or scale dtype"),
    Lie("longer codes", at: 38, [6], "byte count contradicts"),
    Lie("scales of BF16", at: 37, [15], "format or scale dtype"),
    Lie("zero points", at: 39, [3], "format or scale dtype"),
    Lie("no global scale", at: 39, [0], "format or scale dtype"),
    Lie("blocks of two rows", at: 40, [2], "format or scale dtype"),
    Lie("groups of 64", at: 44, [64], "format or scale dtype"),
    Lie("groups of 32", at: 44, [32], "byte count contradicts"),
  ])
  func lies(lie: Lie) throws {
    let found = try findings(
      lie.bytes.enumerated().map { (lie.byteOffset + $0.offset, $0.element) })
    #expect(found.contains { $0.contains(lie.expected) }, "\(found)")
  }

  @Test func tablesWithoutTheFeature() throws {
    let found = try findings([(16, 0)], isHeader: true)
    #expect(found.contains { $0.contains("required features contradicts") }, "\(found)")
  }

  @Test func theFeatureWithoutTables() throws {
    var bytes = try bytes(Fixtures.path("container/tiny.kelter"))
    bytes[16] = 1
    bytes.mendHeaderChecksum()
    let path = folder.file("lie.kelter")
    try write(bytes, to: path)
    let found = try ContainerVerifier.verify(ContainerReader(path: path)).map(\.description)
    #expect(found.contains { $0.contains("required features contradicts") }, "\(found)")
  }

  /// Super-block scales that mean damage are found wherever they lie, the partial last one of a row
  /// included, and in both Float16 halves.
  @Test(arguments: [0, 14, 20, 34, 40, 54])
  func damagedScales(place: Int) throws {
    for (value, expected) in [([0, 0], "zero"), ([0, 0x7C], "NaN"), ([1, 0xFE], "NaN")] {
      var bytes = try bytes(golden)
      let reader = try ContainerReader(path: golden)
      let tensor = try reader.tensor(named: "weights.lut3-g16")
      let start = tensor.byteRange.lowerBound + tensor.layout!.scales.lowerBound
      for half in 0..<2 { bytes[start + place + half] = UInt8(value[half]) }
      let path = folder.file("damaged.kelter")
      try write(bytes, to: path)
      let found = try ContainerVerifier.verify(ContainerReader(path: path)).map(\.description)
      #expect(
        found.contains { $0.contains("weights.lut3-g16") && $0.contains(expected) }, "\(found)")
    }
  }
}
