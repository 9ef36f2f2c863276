/// Zip archives as bytes, also ones that no writer would make.
struct ZipBytes {
  struct Entry {
    var name: String
    /// As they are stored.
    var bytes: [UInt8]
    var method: UInt16 = 0
    var flags: UInt16 = 0
    /// Of the bytes once inflated; their size if it is not that of `bytes`.
    var checksum: UInt32?
    var byteCount: Int?
    /// Where the directory says that the entry begins, if not where it does.
    var offset: Int?
    var localName: String?
    var localMethod: UInt16?
  }

  var entries: [Entry]
  /// Whether all sizes are in the 64-bit extension, and the end in its 64-bit form.
  var is64Bit = false
  var comment: [UInt8] = []
  /// Replace what the end says.
  var entryCount: Int?
  var directoryByteCount: Int?
  var directoryOffset: Int?
  var disk: UInt16 = 0

  init(_ entries: [Entry]) { self.entries = entries }

  var bytes: [UInt8] {
    var file: [UInt8] = []
    var directory: [UInt8] = []
    for entry in entries {
      let offset = entry.offset ?? file.count
      let byteCount = entry.byteCount ?? entry.bytes.count
      let checksum = entry.checksum ?? Self.checksum(of: entry.bytes)
      let localName = Array((entry.localName ?? entry.name).utf8)
      file += Self.fields(
        (0x0403_4B50, 4), (20, 2), (Int(entry.flags), 2),
        (Int(entry.localMethod ?? entry.method), 2), (0, 4), (Int(checksum), 4),
        (entry.bytes.count, 4), (byteCount, 4), (localName.count, 2), (0, 2))
      file += localName + entry.bytes
      let extra =
        is64Bit
        ? Self.fields((9, 2), (1, 2), (7, 1), (1, 2), (24, 2), (byteCount, 8))
          + Self.fields((entry.bytes.count, 8), (offset, 8)) : []
      let full = 0xFFFF_FFFF
      directory += Self.fields(
        (0x0201_4B50, 4), (20, 2), (20, 2), (Int(entry.flags), 2), (Int(entry.method), 2), (0, 4),
        (Int(checksum), 4), (is64Bit ? full : entry.bytes.count, 4),
        (is64Bit ? full : byteCount, 4), (entry.name.utf8.count, 2), (extra.count, 2), (0, 2),
        (0, 2), (0, 2), (0, 4), (is64Bit ? full : offset, 4))
      directory += Array(entry.name.utf8) + extra
    }
    let offset = directoryOffset ?? file.count
    let count = entryCount ?? entries.count
    let size = directoryByteCount ?? directory.count
    file += directory
    if is64Bit {
      let end = file.count
      file += Self.fields(
        (0x0606_4B50, 4), (44, 8), (45, 2), (45, 2), (0, 4), (0, 4), (count, 8), (count, 8),
        (size, 8), (offset, 8))
      file += Self.fields((0x0706_4B50, 4), (0, 4), (end, 8), (1, 4))
    }
    file += Self.fields(
      (0x0605_4B50, 4), (Int(disk), 2), (0, 2), (is64Bit ? 0xFFFF : count, 2),
      (is64Bit ? 0xFFFF : count, 2), (is64Bit ? 0xFFFF_FFFF : size, 4),
      (is64Bit ? 0xFFFF_FFFF : offset, 4), (comment.count, 2))
    return file + comment
  }

  /// Little-endian numbers of so many bytes.
  private static func fields(_ fields: (value: Int, byteCount: Int)...) -> [UInt8] {
    fields.flatMap { field in
      (0..<field.byteCount).map { UInt8(truncatingIfNeeded: field.value >> (8 * $0)) }
    }
  }

  /// CRC-32, bit by bit.
  static func checksum(of bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in
        sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1
      }
    }
  }
}
