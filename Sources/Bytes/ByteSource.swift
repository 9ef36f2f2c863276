public import SystemPackage

/// Bytes that are read at given offsets, by any number of threads at once: a file, or what a packed
/// file holds.
public protocol ByteSource: Sendable {
  /// The file that they come from.
  var path: FilePath { get }
  /// How many there are.
  var byteCount: Int { get }

  /// Fills `bytes` from `byteOffset` on.
  /// - Throws: `truncated` if the bytes end before, `readFailed`, `archive`.
  func read(at byteOffset: Int, into bytes: inout MutableRawSpan) throws(BytesError)
}

extension ByteSource {
  /// The bytes of a range, which is checked against the size before anything is allocated.
  public func bytes(in range: Range<Int>) throws(BytesError) -> [UInt8] {
    guard range.lowerBound >= 0, range.upperBound <= byteCount else {
      throw .truncated(
        path: path, byteOffset: range.lowerBound, wanted: range.count, byteCount: byteCount)
    }
    return try [UInt8](byteCount: range.count) { bytes throws(BytesError) in
      try read(at: range.lowerBound, into: &bytes)
    }
  }
}
