import Bytes
import FixtureSupport
import SystemPackage
import Testing

@Suite("Damaged archives are refused, by frame")
struct HostileArchiveTests {
  static let content = ArchiveBytes.content(3000)

  static func withArchive(_ body: (FilePath, [UInt8]) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("a.zst")
      try ArchiveBytes.write(content, frameByteCounts: [1500, 500, 1000], to: path)
      try body(path, try contents(path))
    }
  }

  /// The damage that opening an archive and reading it meets, nil if there is none.
  static func damage(_ path: FilePath, _ bytes: [UInt8]) throws -> ArchiveDamage? {
    try writeFile(path, bytes)
    do throws(BytesError) {
      let reader = try ArchiveReader(file: try File(path: path))
      let count = min(reader.byteCount, 1 << 16)
      let read = try reader.bytes(in: 0..<count)
      #expect(read == content || bytes.count < 1000, "wrong bytes were handed out")
      return nil
    } catch .archive(_, let damage) {
      return damage
    } catch {
      Issue.record("\(error)")
      return nil
    }
  }

  /// Wherever it is cut, an archive is refused, and the frame that is cut is named.
  @Test func truncation() throws {
    try Self.withArchive { path, bytes in
      let ends = try (0..<3).map {
        try ArchiveBytes.read(path).table.frame($0).packedRange.upperBound
      }
      for count in 0..<bytes.count {
        let damage = try Self.damage(path, Array(bytes[..<count]))
        if let whole = ends.firstIndex(where: { $0 > count }) {
          let start = whole == 0 ? 0 : ends[whole - 1]
          #expect(
            damage
              == (start == count
                ? .noSeekTable(frameCount: whole)
                : .frame(number: whole, byteOffset: start, .cutOff)),
            "\(count)")
        } else {
          #expect(
            damage == .noSeekTable(frameCount: 3)
              || damage == .frame(number: 3, byteOffset: ends[2], .cutOff), "\(count)")
        }
      }
    }
  }

  /// No flipped bit leads to wrong bytes; those in a frame name it.
  @Test func flippedBits() throws {
    try Self.withArchive { path, bytes in
      let table = try ArchiveBytes.read(path).table
      var refusedCount = 0
      for place in bytes.indices {
        var changed = bytes
        changed[place] ^= 1 << (place % 8)
        guard let damage = try Self.damage(path, changed) else { continue }
        refusedCount += 1
        if place < table.packedByteCount {
          let frames = (0..<3).map { table.frame($0) }
          let frame = try #require(frames.first { $0.packedRange.contains(place) })
          guard case .frame(frame.number, frame.packedRange.lowerBound, _) = damage else {
            Issue.record("byte \(place): \(damage)")
            continue
          }
        }
      }
      // A bit of a frame's header and two of the table's descriptor mean nothing.
      #expect(refusedCount > bytes.count - 8)
    }
  }

  @Test func seekTablesThatLie() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("a.zst")
      let frame = try ArchiveBytes.zeros(100)
      let size = UInt32(frame.count)
      func damage(_ bytes: [UInt8]) throws -> String {
        try Self.damage(path, bytes)?.description ?? "none"
      }
      let cases: [(part: String, bytes: [UInt8])] = [
        ("has 1 zstd frame(s) and no seek table", frame),
        ("no zstd frame", Array("no archive at all".utf8)),
        (
          "4294967295 frames",
          ArchiveBytes.file(frames: frame, entries: [(size, 100)], count: .max)
        ),
        (
          "do not fit", ArchiveBytes.file(frames: frame, entries: [(size, 100)], count: 1000)
        ),
        (
          "does not start", ArchiveBytes.file(frames: frame, entries: [(size, 100)], count: 2)
        ),
        (
          "reserved bits",
          ArchiveBytes.file(frames: frame, entries: [(size, 100)], descriptor: 0x10)
        ),
        ("bytes", ArchiveBytes.file(frames: frame, entries: [(size + 1, 100)])),
        ("bytes", ArchiveBytes.file(frames: frame, entries: [(.max, .max), (.max, .max)])),
        // Frames that hold more, or less, than they should.
        ("hold the 10 bytes", ArchiveBytes.file(frames: frame, entries: [(size, 10)])),
        ("hold the 99 bytes", ArchiveBytes.file(frames: frame, entries: [(size, 99)])),
        ("hold the 101 bytes", ArchiveBytes.file(frames: frame, entries: [(size, 101)])),
        (
          "hold the 4294967295 bytes",
          ArchiveBytes.file(frames: frame, entries: [(size, .max)])
        ),
        // A frame that is two, and one that is cut in two.
        ("frame 0", ArchiveBytes.file(frames: frame + frame, entries: [(2 * size, 200)])),
        ("frame 0", ArchiveBytes.file(frames: frame, entries: [(5, 50), (size - 5, 50)])),
      ]
      for (part, bytes) in cases {
        let damage = try damage(bytes)
        #expect(damage.contains(part), "\(part): \(damage)")
      }
    }
  }

  /// Frames that hold far more than the table says, or want far more memory than they need.
  @Test func bombs() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("a.zst")
      let bomb = try ArchiveBytes.zeros(8 << 20)
      #expect(bomb.count < 1000)
      #expect(
        try Self.damage(
          path, ArchiveBytes.file(frames: bomb, entries: [(UInt32(bomb.count), 1000)]))
          == .frame(number: 0, byteOffset: 0, .wrongByteCount(stated: 1000)))
      // RFC 8878: a window of 8 MiB, and one of 16 MiB, before a raw block of one byte.
      for (window, isRefused) in [(0x68 as UInt8, false), (0x70, true)] {
        let frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0, window, 9, 0, 0, 0x61]
        let damage = try Self.damage(path, ArchiveBytes.file(frames: frame, entries: [(10, 1)]))
        if isRefused {
          #expect(damage?.description.contains("too much memory") == true)
        } else {
          #expect(damage == nil)
        }
      }
    }
  }
}
