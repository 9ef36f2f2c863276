import Bytes
import FixtureSupport
import SystemPackage

/// Archives in zstd's seekable format, and lies about them.
enum ArchiveBytes {
  /// Bytes of little entropy, so that packing does something.
  static func content(_ byteCount: Int, seed: UInt64 = 1) -> [UInt8] {
    var generator = SeededGenerator(seed: seed)
    return (0..<byteCount).map { _ in
      UInt8(truncatingIfNeeded: generator.next() & generator.next() & 0x3F)
    }
  }

  /// Packs contents in frames of these sizes.
  static func write(
    _ content: [UInt8], frameByteCounts: [Int], level: Int = 1, to path: FilePath
  ) throws {
    let file = try AtomicFile(path: path, replacing: true)
    var writer = ArchiveWriter(file: file)
    var start = 0
    for count in frameByteCounts {
      let piece = Array(content[start..<start + count])
      try writer.append(PackedFrame(piece.rawSpan, level: level))
      start += count
    }
    _ = try writer.finish()
    try file.publish()
  }

  static func read(_ path: FilePath) throws -> ArchiveReader {
    try ArchiveReader(file: File(path: path))
  }

  /// A frame of zeros, as anybody's zstd would make it.
  static func zeros(_ byteCount: Int) throws -> [UInt8] {
    let zeros = [UInt8](repeating: 0, count: byteCount)
    return try PackedFrame(zeros.rawSpan, level: 1).bytes
  }

  /// Frames followed by a seek table of any entries, without checksums.
  static func file(
    frames: [UInt8], entries: [(packed: UInt32, content: UInt32)], count: UInt32? = nil,
    descriptor: UInt8 = 0
  ) -> [UInt8] {
    var bytes = frames
    bytes.appendLittleEndian(0x184D_2A5E as UInt32)
    bytes.appendLittleEndian(UInt32(entries.count * 8 + 9))
    for entry in entries {
      bytes.appendLittleEndian(entry.packed)
      bytes.appendLittleEndian(entry.content)
    }
    bytes.appendLittleEndian(count ?? UInt32(entries.count))
    bytes.append(descriptor)
    bytes.appendLittleEndian(0x8F92_EAB1 as UInt32)
    return bytes
  }
}
