import Bytes
import FixtureSupport
import SystemPackage
import Testing

/// Writing around the page cache: the bytes are the same whichever way they go.
struct DirectWritingTests {
  /// Bytes that differ from page to page.
  private static func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
  }

  /// Pages, odd tails, places that are no multiple of a page, one after the other in one file.
  @Test(arguments: [1, 511, 4095, 4096, 4097, 16384, 3 * 4096 + 7, 100_000])
  func writesWhatItHolds(byteCount: Int) throws {
    try withTemporaryFolder { folder in
      let file = try AtomicFile(path: folder.appending("out"), replacing: false)
      let bytes = Self.pattern(byteCount)
      let buffer = PageBuffer(capacity: byteCount)
      #expect(buffer.capacity >= byteCount && buffer.capacity % 4096 == 0)
      #expect(buffer.append(bytes.rawSpan) == byteCount)
      // The second place overlaps the first, whose pages may be in the cache or not.
      for byteOffset in [0, 8192, 8192 + 5] {
        try file.write(buffer.bytes, at: byteOffset)
        var back = [UInt8](repeating: 0, count: byteCount)
        var span = back.mutableRawSpan
        try file.read(at: byteOffset, into: &span)
        #expect(back == bytes, "at \(byteOffset)")
      }
      try file.publish()
      let all = try contents(folder.appending("out"))
      #expect(all.count == 8192 + 5 + byteCount && Array(all.suffix(byteCount)) == bytes)
    }
  }

  /// tmpfs takes such writes on some kernels and refuses them on others.
  @Test func writesToMemoryFileSystems() throws {
    guard exists("/dev/shm") else { return }
    let path = FilePath("/dev/shm/kelter-test-\(UInt64.random(in: 0 ... .max))")
    let file = try AtomicFile(path: path, replacing: false)
    let bytes = Self.pattern(3 << 20)
    let buffer = PageBuffer(capacity: bytes.count)
    #expect(buffer.append(bytes.rawSpan) == bytes.count)
    try file.write(buffer.bytes, at: 4096)
    var back = [UInt8](repeating: 0, count: bytes.count)
    var span = back.mutableRawSpan
    try file.read(at: 4096, into: &span)
    #expect(back == bytes)
    file.discard()
  }

  @Test func buffersTakeWhatFits() throws {
    let buffer = PageBuffer(capacity: 5000)
    let bytes = Self.pattern(6000)
    #expect(buffer.append(bytes.rawSpan) == 6000 && !buffer.isFull)
    #expect(buffer.append(bytes.rawSpan) == 2192 && buffer.isFull)
    #expect(buffer.append(bytes.rawSpan) == 0)
    let expected = bytes + bytes[..<2192]
    let checksum = Checksum.of(buffer.bytes)
    #expect(buffer.byteCount == 8192 && checksum == Checksum.of(expected.rawSpan))
    buffer.removeAll()
    #expect(buffer.byteCount == 0 && !buffer.isFull)
  }
}
