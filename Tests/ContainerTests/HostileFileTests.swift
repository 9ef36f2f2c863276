import Bytes
import Container
import FixtureSupport
import SystemPackage
import Testing

/// A field of the fixture that is overwritten; the header's checksum is mended afterwards, so that
/// the lie gets as far as it can.
struct Lie: Sendable, CustomTestStringConvertible {
  var name: String
  var byteOffset: Int
  var bytes: [UInt8]
  /// What must be found: at open, or by the verifier.
  var expected: String

  init(_ name: String, at byteOffset: Int, _ bytes: [UInt8], _ expected: String) {
    self.name = name
    self.byteOffset = byteOffset
    self.bytes = bytes
    self.expected = expected
  }

  var testDescription: String { name }
}

@Suite("A file that lies is refused by name")
struct HostileFileTests {
  let folder = try! TemporaryFolder()

  /// Overwrites bytes of the fixture and opens it.
  private func open(_ lie: Lie) throws -> ContainerReader {
    let golden = try File(path: Fixtures.path("container/tiny.kelter"))
    var bytes = try golden.bytes(in: 0..<golden.byteCount)
    bytes.replaceSubrange(lie.byteOffset..<lie.byteOffset + lie.bytes.count, with: lie.bytes)
    bytes.mendHeaderChecksum()
    let path = folder.file("lie.kelter")
    let output = try AtomicFile(path: path, replacing: true)
    try output.write(bytes.rawSpan, at: 0)
    try output.publish()
    return try ContainerReader(path: path)
  }

  @Test(arguments: [
    Lie("magic", at: 0, [0x88], "not a .kelter file"),
    Lie("major version", at: 8, [2], "format version 2.0"),
    Lie("major version 0", at: 8, [0], "the header's version"),
    Lie("header size", at: 13, [0x20], "byte count of the header"),
    Lie("required feature", at: 16, [2], "requires features"),
    Lie("file size", at: 34, [2], "its header says"),
    Lie("alignment", at: 41, [0x10], "alignment"),
    Lie("no sections", at: 44, [0], "section count"),
    Lie("too many sections", at: 44, [0xFF, 0xFF, 0xFF, 0xFF], "section count"),
    Lie("one section less", at: 44, [9], "not zero"),
    Lie("reserved", at: 50, [1], "not zero"),
    Lie("after the directory", at: 0x300, [1], "not zero"),
    Lie("digests that are not announced", at: 24, [0], "section 9"),
    Lie("kind", at: 64, [3], "section 0"),
    Lie("record size", at: 0xA4, [0xC1], "section 2"),
    Lie("record size 0", at: 0xA4, [0], "section 2"),
    Lie("count", at: 0xA8, [0x13], "section 2"),
    Lie("huge count", at: 0xA8, [UInt8](repeating: 0xFF, count: 8), "section 2"),
    Lie("section's offset", at: 0xB0, [0x80], "section 2"),
    Lie("section's size", at: 0xB8, [0x81], "section 2"),
    Lie("reserved of an entry", at: 0xC8, [1], "section 2"),
  ])
  func atOpen(lie: Lie) throws {
    #expect {
      try open(lie)
    } throws: {
      ($0 as? ContainerError)?.description.contains(lie.expected) ?? false
    }
  }

  /// Offsets of the fixture's records: tensors at 0x4340 (192 bytes each, the fourth at 0x4580),
  /// extents at 0x50C0, layers at 0x5180, experts at 0x51C0, errors at 0x5280, files at 0x5600,
  /// sources at 0x5680.
  @Test(arguments: [
    Lie("metadata", at: 0x4000, [0x5B], "metadata"),
    Lie("metadata with a space", at: 0x4001, [0x20], "metadata"),
    Lie("string without UTF-8", at: 0x4080, [0xFF], "malformed name"),
    Lie("name's offset", at: 0x4580, [0xFF, 0xFF, 0xFF, 0xFF], "points outside"),
    Lie("name's size", at: 0x4584, [0xFF, 0xFF, 0xFF, 0xFF], "points outside"),
    Lie("order of names", at: 0x4340, [0x5E, 0, 0, 0, 0x2D], "order"),
    Lie("source dtype", at: 0x4580 + 34, [23], "source dtype has the unknown value 23"),
    Lie("rank", at: 0x4580 + 35, [9], "rank has the unknown value 9"),
    Lie("rank and shape", at: 0x4580 + 35, [1], "not zero"),
    Lie("encoding", at: 0x4580 + 36, [4], "encoding has the unknown value 4"),
    Lie("tables", at: 0x4580 + 36, [3], "required features contradicts"),
    Lie("dtype of scales", at: 0x4580 + 37, [6], "scale dtype"),
    Lie("dtype", at: 0x4580 + 37, [0], "dtype has the unknown value 0"),
    Lie("code", at: 0x4580 + 38, [8], "code format has the unknown value 8"),
    Lie("code of tables", at: 0x4580 + 38, [6], "scale dtype"),
    Lie("flags", at: 0x4580 + 39, [4], "flags has the unknown value 4"),
    Lie("another flag", at: 0x4580 + 39, [3], "byte count contradicts"),
    Lie("block", at: 0x4580 + 44, [0xFF, 0xFF, 0xFF, 0xFF], "scale dtype"),
    Lie("smaller block", at: 0x4580 + 44, [1], "byte count contradicts"),
    Lie("extent", at: 0x4580 + 48, [4], "extent points outside"),
    Lie("another extent", at: 0x4580 + 48, [1], "tensor points outside"),
    Lie("reserved of a tensor", at: 0x4580 + 52, [1], "not zero"),
    Lie("offset", at: 0x4580 + 56, [1], "tensor points outside"),
    Lie("offset past the end", at: 0x4580 + 63, [0x7F], "tensor points outside"),
    Lie("negative offset", at: 0x4580 + 63, [0x80], "tensor points outside"),
    Lie("overlap", at: 0x4580 + 56, [0x40], "place of a content"),
    Lie("size", at: 0x4580 + 64, [0x80], "byte count contradicts"),
    Lie("size past the end", at: 0x4580 + 71, [0x7F], "tensor points outside"),
    Lie("payload size", at: 0x4580 + 72, [0xB1], "payload byte count"),
    Lie("rows", at: 0x4580 + 80, [5], "byte count contradicts"),
    Lie("too many rows", at: 0x4580 + 87, [0x7F], "shape"),
    Lie("rows and columns", at: 0x4580 + 84, [1, 0, 0, 0, 0, 0, 0, 0, 1], "shape"),
    Lie("end of a tensor's record", at: 0x4580 + 191, [1], "not zero"),
    Lie("kind of an extent", at: 0x50C0, [4], "extent kind has the unknown value 4"),
    Lie("offset of an extent", at: 0x50C0 + 8, [1], "extent's alignment"),
    Lie("place of an extent", at: 0x50F0 + 9, [0x80], "extent's offset"),
    Lie("extent past the end", at: 0x50C0 + 23, [0x7F], "extent points outside"),
    Lie("used size", at: 0x50C0 + 24, [0, 0x41], "extent's size"),
    Lie("less used", at: 0x50C0 + 24, [0, 1], "tensor points outside"),
    Lie("more used", at: 0x50C0 + 24, [0, 0x10], "contradicts"),
    Lie("layer", at: 0x5180, [2], "layer contradicts"),
    Lie("first expert", at: 0x5188, [1], "experts points outside"),
    Lie("expert count", at: 0x518C, [1], "layer contradicts"),
    Lie("stride", at: 0x5191, [0x80], "layer contradicts"),
    Lie("order of experts", at: 0x51C4, [1], "section experts are not in order"),
    Lie("expert's extent", at: 0x51C8, [2], "extent contradicts"),
    Lie("expert's offset", at: 0x51D1, [0xC0], "expert's place"),
    Lie("expert's size", at: 0x51D9, [0x80], "expert's place"),
    Lie("gate tensor", at: 0x51E8, [2], "projection"),
    Lie("no gate tensor", at: 0x51E8, [0xFF, 0xFF, 0xFF, 0xFF], "order of projections"),
    Lie("gate tensor outside", at: 0x51E8, [0x12], "projection"),
    Lie("up offset", at: 0x5200, [0x80], "projection"),
    Lie("error's tensor", at: 0x5280, [0x12], "section errors are not in order"),
    Lie("order of errors", at: 0x5280, [3], "section errors are not in order"),
    Lie("reserved of an error", at: 0x5284, [1], "not zero"),
    Lie("file's extent", at: 0x5608, [2], "extent contradicts"),
    Lie("file's size", at: 0x561F, [0x7F], "file points outside"),
    Lie("file's offset", at: 0x5610, [1], "file points outside"),
    Lie("file's name, a path", at: 0x4080 + 0x27F, Array("../evil.txt".utf8), "file name"),
    Lie("file's name, absolute", at: 0x4080 + 0x27F, Array("/tmp/x.json".utf8), "file name"),
    Lie("file's name with NUL", at: 0x4080 + 0x27F + 3, [0], "file name"),
    Lie("file's name, empty", at: 0x5604, [0], "file name"),
    Lie("file's name, .", at: 0x5600, [0x85, 2, 0, 0, 1], "file name"),
    Lie("source's flags", at: 0x56A8, [2], "flags has the unknown value 2"),
    Lie("source's checksum", at: 0x56A8, [0], "not zero"),
    Lie("source's size", at: 0x568F, [0x80], "byte count points outside"),
  ])
  func whenUsed(lie: Lie) throws {
    let reader = try open(lie)
    let findings = try ContainerVerifier.verify(reader)
    #expect(
      findings.contains { $0.isDamage && $0.description.contains(lie.expected) }, "\(findings)")
    try reader.useAll()
  }

  /// A later minor version may have sections that this one does not know.
  @Test func aLaterMinorVersionIsRead() throws {
    #expect(try open(Lie("minor", at: 10, [7], "")).version == (1, 7))
    #expect(throws: ContainerError.self) { try open(Lie("digest's kind", at: 0x1F0, [11], "")) }
  }

  @Test(arguments: [[], Array("PK".utf8), Array("{\"a\":1}               ".utf8)])
  func anotherFileIsNoContainer(bytes: [UInt8]) throws {
    let path = folder.file("other")
    let output = try AtomicFile(path: path, replacing: false)
    try output.write(bytes.rawSpan, at: 0)
    try output.publish()
    #expect {
      try ContainerReader(path: path)
    } throws: {
      if case ContainerError.notAContainer = $0 { true } else { false }
    }
  }

  @Test func whatIsNotThereIsNotFound() {
    #expect {
      try ContainerReader(path: folder.file("nothing.kelter"))
    } throws: {
      ($0 as? ContainerError)?.kind == .notFound
    }
  }
}

extension [UInt8] {
  /// Computes the header's checksum anew.
  mutating func mendHeaderChecksum() {
    guard count >= 16_384 else { return }
    let checksum = Checksum.of(Array(self[..<16_376]).rawSpan)
    for place in 0..<8 {
      self[16_376 + place] = UInt8(truncatingIfNeeded: checksum >> UInt64(8 * place))
    }
  }
}

extension ContainerReader {
  /// Reads every record and the first and last byte of what it names; errors are as good as
  /// values, only a crash or an error of another kind is not.
  func useAll() throws {
    func use(_ body: () throws(ContainerError) -> Range<Int>?) throws {
      do throws(ContainerError) {
        if let range = try body() { _ = try bytes(in: range).byteCount }
      } catch {
        if case .damaged = error { return }
        if case .noSuchTensor = error { return }
        if case .noSuchExpert = error { return }
        throw error
      }
    }
    for index in 0..<tensorCount {
      try use { () throws(ContainerError) in try tensor(at: index).byteRange }
      try use { () throws(ContainerError) in
        _ = try errorRecord(ofTensor: index)
        return nil
      }
    }
    for index in 0..<expertCount {
      try use { () throws(ContainerError) in try expert(at: index).byteRange }
      try use { () throws(ContainerError) in try expert(layer: 1, expert: index).byteRange }
    }
    for index in 0..<extentCount {
      try use { () throws(ContainerError) in try extent(at: index).byteRange }
    }
    try use { () throws(ContainerError) in try files().last?.byteRange }
    try use { () throws(ContainerError) in
      _ = try sources()
      return nil
    }
    try use { () throws(ContainerError) in
      try tensor(named: "model.layers.1.mlp.experts.0.gate_proj.weight", expert: 0).byteRange
    }
  }
}
