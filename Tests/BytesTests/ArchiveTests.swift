import Bytes
import CKernels
import CZstd
import FixtureSupport
import SystemPackage
import Testing

@Suite("Archives give back what was packed")
struct ArchiveTests {
  static let frameSizes = [
    [1], [2, 1, 255], [65_537, 131_072, 131_073], [300_001, 7], [1 << 20, (1 << 20) - 1, 3],
  ]

  @Test(arguments: frameSizes)
  func readsAnyRange(frameByteCounts: [Int]) throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("a.zst")
      let content = ArchiveBytes.content(frameByteCounts.reduce(0, +))
      try ArchiveBytes.write(content, frameByteCounts: frameByteCounts, to: path)
      let reader = try ArchiveBytes.read(path)
      #expect(reader.byteCount == content.count)
      #expect(reader.table.frameCount == frameByteCounts.count)
      #expect(try reader.bytes(in: 0..<content.count) == content)
      // In sequence by odd steps, then backwards.
      let step = max(1, content.count / 7 | 1)
      let starts = Array(stride(from: 0, to: content.count, by: step))
      for start in starts + starts.reversed() {
        let range = start..<min(start + step, content.count)
        #expect(try reader.bytes(in: range) == Array(content[range]))
      }
      #expect(try reader.bytes(in: content.count..<content.count) == [])
      #expect(throws: BytesError.self) { try reader.bytes(in: 0..<content.count + 1) }
      var one: [UInt8] = [0]
      #expect(throws: BytesError.self) {
        var span = one.mutableRawSpan
        try reader.read(at: -1, into: &span)
      }
    }
  }

  /// The contents at once, by libzstd alone: the seek table is a frame that decoders skip.
  @Test(arguments: frameSizes, [1, 3, 19])
  func libzstdRestores(frameByteCounts: [Int], level: Int) throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("a.zst")
      let content = ArchiveBytes.content(frameByteCounts.reduce(0, +), seed: 2)
      try ArchiveBytes.write(content, frameByteCounts: frameByteCounts, level: level, to: path)
      let packed = try contents(path)
      var restored = [UInt8](repeating: 0xFF, count: content.count)
      let byteCount = unsafe restored.withUnsafeMutableBytes { target in
        unsafe packed.withUnsafeBytes { source in
          unsafe ZSTD_decompress(
            target.baseAddress, target.count, source.baseAddress, source.count)
        }
      }
      #expect(byteCount == content.count)
      #expect(restored == content)
    }
  }

  /// What pyzstd packed: frames that begin anywhere, a table without checksums.
  @Test func foreignArchive() throws {
    let reader = try ArchiveBytes.read(Fixtures.path("archive/pyzstd.kelter.zst"))
    let content = try contents(Fixtures.path("container/tiny.kelter"))
    #expect(reader.table.frameCount == 10)
    #expect(reader.table.frame(3).checksum == nil)
    #expect(try reader.bytes(in: 0..<reader.byteCount) == content)
  }

  /// Frames that hold nothing, and a skippable frame among them.
  @Test func emptyFrames() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("a.zst")
      let empty = try ArchiveBytes.zeros(0)
      let ten = try ArchiveBytes.zeros(10)
      let skippable: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 2, 0, 0, 0, 9, 9]
      let frames = [empty, ten, skippable, ten, empty]
      try writeFile(
        path,
        ArchiveBytes.file(
          frames: frames.flatMap(\.self),
          entries: zip(frames, [0, 10, 0, 10, 0]).map { (UInt32($0.count), $1) }))
      let reader = try ArchiveBytes.read(path)
      #expect(try reader.bytes(in: 0..<20) == [UInt8](repeating: 0, count: 20))
      #expect(try reader.bytes(in: 10..<11) == [0])
    }
  }

  /// libzstd puts the same checksum at the end of a frame; and an empty input's is in xxHash's own
  /// tests.
  @Test func checksum() throws {
    for byteCount in Array(0...100) + [255, 256, 1000, 4096, 100_003] {
      let content = ArchiveBytes.content(byteCount, seed: 3)
      let frame = try PackedFrame(content.rawSpan, level: 1)
      var state = ck_xxh64_state()
      unsafe ck_xxh64_init(&state)
      var start = 0
      var count = 1
      while start < byteCount {
        let piece = Array(content[start..<min(start + count, byteCount)])
        unsafe ck_xxh64_update(&state, piece, piece.count)
        start += piece.count
        count = count % 67 + 5
      }
      let value = unsafe ck_xxh64_value(&state)
      #expect(
        frame.bytes.littleEndian(at: frame.bytes.count - 4) == UInt32(truncatingIfNeeded: value))
      if byteCount == 0 { #expect(value == 0xEF46_DB37_51D8_E999) }
    }
  }
}
