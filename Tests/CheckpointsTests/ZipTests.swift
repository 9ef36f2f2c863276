import Bytes
@testable import Checkpoints
import SystemPackage
import Testing

/// Zip archives: what is read, and every refusal.
struct ZipTests {
  static let hello = Array("hello hello hello".utf8)
  /// `hello`, deflated by Python's zlib.
  static let deflated: [UInt8] = [0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x57, 0xC8, 0x40, 0x90, 0x00]

  static func plain(_ name: String = "a") -> ZipBytes.Entry {
    ZipBytes.Entry(name: name, bytes: hello)
  }

  static var compressed: ZipBytes.Entry {
    ZipBytes.Entry(
      name: "z", bytes: deflated, method: 8, checksum: ZipBytes.checksum(of: hello),
      byteCount: hello.count)
  }

  func open(_ zip: ZipBytes) throws -> ZipArchive {
    try ZipArchive(source: ByteSource(bytes: zip.bytes, path: "x.zip"))
  }

  @Test(arguments: [false, true]) func readsStoredAndDeflated(is64Bit: Bool) throws {
    var zip = ZipBytes([Self.plain(), Self.compressed, ZipBytes.Entry(name: "é/", bytes: [])])
    zip.is64Bit = is64Bit
    for comment in [[], Array("a remark".utf8), [UInt8](repeating: 0x50, count: 0xFFFF)] {
      zip.comment = comment
      let archive = try open(zip)
      #expect(archive.entries.map(\.name) == ["a", "z", "é/"])
      for name in ["a", "z"] {
        let entry = try #require(archive[name])
        #expect(try archive.bytes(of: entry, limit: 100) == Self.hello)
        #expect(entry.byteCount == Self.hello.count)
        let error = #expect(throws: CheckpointsError.self) {
          try archive.bytes(of: entry, limit: 16)
        }
        #expect(error?.description.contains("at most 16 are allowed") == true)
      }
      #expect(archive["b"] == nil)
    }
    #expect(try open(ZipBytes([])).entries.isEmpty)
  }

  /// Names an entry, and what is said of it.
  static let refusals: [(String, @Sendable (inout ZipBytes) -> Void)] = [
    ("entry a is there twice", { $0.entries.append(plain()) }),
    ("entry a is encrypted", { $0.entries[0].flags = 1 }),
    ("entry a is encrypted", { $0.entries[0].flags = 0x2000 }),
    ("entry a has compression method 12", { $0.entries[0].method = 12 }),
    ("entry a is not compressed, yet has 17 bytes for 18", { $0.entries[0].byteCount = 18 }),
    ("cannot hold", { $0.entries[1].byteCount = 1032 * 11 }),
    ("cannot hold", { $0.entries[1].byteCount = 0xFFFF_FFF0 }),
    ("entry a overlaps", { $0.entries.append(entry(plain("b"), at: 0)) }),
    ("entry a overlaps b", { $0.entries.append(entry(plain("b"), at: 1)) }),
    ("entry a overlaps b", { $0.entries.append(entry(plain("b"), at: 10)) }),
    ("overlaps the directory", { $0.entries[1] = entry(compressed, at: 80) }),
    ("entry z is not inside the file", { $0.entries[1].offset = 100_000 }),
    ("entry a and the directory contradict", { $0.entries[0].localName = "b" }),
    ("entry a and the directory contradict", { $0.entries[0].localName = "ab" }),
    ("entry z and the directory contradict", { $0.entries[1].localMethod = 0 }),
    ("has 2 entries and its end states 3", { $0.entryCount = 3 }),
    ("has 2 entries and its end states 1", { $0.entryCount = 1 }),
    ("in several parts", { $0.disk = 1 }),
    ("is not where its end says", { $0.directoryOffset = 1 }),
    ("is not where its end says", { $0.directoryByteCount = 0x7FFF_FFFF }),
    ("end of a zip file is not there", { $0.comment = [UInt8](repeating: 0, count: 0x1_0001) }),
  ]

  static func entry(_ entry: ZipBytes.Entry, at offset: Int) -> ZipBytes.Entry {
    var entry = entry
    entry.offset = offset
    return entry
  }

  @Test(arguments: refusals.indices, [false, true])
  func refuses(index: Int, is64Bit: Bool) throws {
    let (reason, change) = Self.refusals[index]
    var zip = ZipBytes([Self.plain(), Self.compressed])
    zip.is64Bit = is64Bit
    change(&zip)
    let error = #expect(throws: CheckpointsError.self) { try open(zip) }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }

  @Test func refusesHugeSizesBeforeAllocating() throws {
    for (count, size) in [(1 << 62, 1 << 62), (1, -1), (-1, 0)] {
      var zip = ZipBytes([Self.plain()])
      zip.is64Bit = true
      zip.entryCount = count
      zip.directoryByteCount = size
      #expect(throws: CheckpointsError.self) { try open(zip) }
    }
    for field in [Int.max, Int.min, -1, 1 << 40] {
      var zip = ZipBytes([Self.plain()])
      zip.is64Bit = true
      zip.entries[0].byteCount = field
      #expect(throws: CheckpointsError.self) { try open(zip) }
      zip.entries[0].byteCount = nil
      zip.entries[0].offset = field
      #expect(throws: CheckpointsError.self) { try open(zip) }
    }
  }

  @Test func refusesWhatInflatesToSomethingElse() throws {
    func problem(_ change: (inout ZipBytes.Entry) -> Void) throws -> String? {
      var entry = Self.compressed
      change(&entry)
      let archive = try open(ZipBytes([entry]))
      let error = #expect(throws: CheckpointsError.self) {
        try archive.bytes(of: archive.entries[0], limit: 1 << 20)
      }
      return error?.description
    }
    let damaged = "the zip entry z is damaged; fetch the file again"
    // More than it claims: a bomb is stopped after as many bytes as the directory claims.
    #expect(try problem { $0.byteCount = 16 }?.hasSuffix(damaged) == true)
    #expect(try problem { $0.byteCount = 18 }?.hasSuffix(damaged) == true)
    #expect(try problem { $0.bytes.removeLast() }?.hasSuffix(damaged) == true)
    #expect(try problem { $0.bytes.append(0) }?.hasSuffix(damaged) == true)
    #expect(try problem { $0.bytes[0] = 0xFF }?.hasSuffix(damaged) == true)
    #expect(try problem { $0.checksum = 1 }?.contains("checksum of the zip entry z") == true)
  }
}
