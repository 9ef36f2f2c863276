import CZlib

/// A file within a zip archive.
struct ZipEntry: Sendable, Hashable {
  let name: String
  /// Whether it is deflated (method 8), rather than stored as it is.
  let isDeflated: Bool
  /// CRC-32 of its bytes.
  let checksum: UInt32
  /// The size of its bytes, once inflated.
  let byteCount: Int
  /// Where in the file its bytes lie, as they are stored.
  let storedRange: Range<Int>

  /// CRC-32 as zip files have it.
  static func checksum(of bytes: [UInt8]) -> UInt32 {
    unsafe bytes.withUnsafeBufferPointer { buffer in
      UInt32(truncatingIfNeeded: unsafe crc32_z(0, buffer.baseAddress, buffer.count))
    }
  }

  /// Inflates raw deflate data (RFC 1951) that has exactly `byteCount` bytes, or returns nil.
  /// No more than these are allocated or written, whatever the data says.
  static func inflate(_ deflated: [UInt8], byteCount: Int) -> [UInt8]? {
    // zlib counts a call's bytes in 32 bits.
    let pieceLimit = 1 << 30
    var stream = unsafe z_stream()
    guard
      unsafe inflateInit2_(
        &stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return nil }
    defer { unsafe _ = inflateEnd(&stream) }
    // One byte more, so that data that goes on is noticed.
    var bytes = [UInt8](repeating: 0, count: byteCount + 1)
    let (status, produced): (Int32, Int) = unsafe deflated.withUnsafeBufferPointer { input in
      unsafe bytes.withUnsafeMutableBufferPointer { output -> (Int32, Int) in
        var (consumed, produced) = (0, 0)
        var status = Z_OK
        while status == Z_OK {
          let available = min(pieceLimit, input.count - consumed)
          let room = min(pieceLimit, output.count - produced)
          unsafe stream.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.advanced(by: consumed))
          unsafe stream.avail_in = UInt32(available)
          unsafe stream.next_out = output.baseAddress?.advanced(by: produced)
          unsafe stream.avail_out = UInt32(room)
          status = unsafe CZlib.inflate(&stream, Z_NO_FLUSH)
          consumed += available - Int(unsafe stream.avail_in)
          produced += room - Int(unsafe stream.avail_out)
        }
        return (status, consumed == input.count ? produced : -1)
      }
    }
    guard status == Z_STREAM_END, produced == byteCount else { return nil }
    bytes.removeLast()
    return bytes
  }
}
