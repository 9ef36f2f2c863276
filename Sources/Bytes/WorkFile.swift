public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file beside an output that a run keeps its own notes in, and that may outlive it.
///
/// It is read and written at given offsets. Nothing is locked: that is up to the output.
public final class WorkFile: Sendable {
  public let path: FilePath
  /// Its size when it was opened; 0 if it was not there.
  public let byteCount: Int
  private let descriptor: Int32

  /// Opens the file.
  /// - Parameter isCreated: whether it is created if it is not there.
  /// - Throws: `cannotCreate`, also for what is no regular file.
  public init(path: FilePath, isCreated: Bool = true) throws(BytesError) {
    let descriptor: Int32
    do throws(Errno) {
      descriptor = try SystemCalls.open(
        path, O_RDWR | (isCreated ? O_CREAT : 0) | O_NOFOLLOW | O_NONBLOCK, mode: 0o644)
    } catch {
      throw .cannotCreate(path: path, error)
    }
    let status = try? SystemCalls.status(of: descriptor)
    guard let status, status.isRegularFile else {
      SystemCalls.close(descriptor)
      throw .cannotCreate(path: path, .fileExists)
    }
    self.path = path
    self.descriptor = descriptor
    byteCount = status.byteCount
  }

  deinit { SystemCalls.close(descriptor) }

  /// The bytes of a range, which is checked against `byteCount` before anything is allocated.
  /// - Throws: `truncated`, `readFailed`.
  public func bytes(in range: Range<Int>) throws(BytesError) -> [UInt8] {
    guard range.lowerBound >= 0, range.upperBound <= byteCount else {
      throw .truncated(
        path: path, byteOffset: range.lowerBound, wanted: range.count, byteCount: byteCount)
    }
    var bytes = [UInt8](repeating: 0, count: range.count)
    var span = bytes.mutableRawSpan
    try descriptor.readAll(path: path, at: range.lowerBound, into: &span)
    return bytes
  }

  /// Writes all of `bytes` at `byteOffset`; the file grows as needed.
  /// - Throws: `writeFailed`.
  public func write(_ bytes: RawSpan, at byteOffset: Int) throws(BytesError) {
    try descriptor.writeAll(bytes, path: path, at: byteOffset)
  }

  /// Cuts the file or extends it with zeros.
  public func setByteCount(_ byteCount: Int) throws(BytesError) {
    do throws(Errno) {
      try SystemCalls.setByteCount(descriptor, byteCount)
    } catch {
      throw .writeFailed(path: path, byteOffset: byteCount, error)
    }
  }

  /// Removes the file's name, if it can be removed.
  public func remove() { try? SystemCalls.remove(path) }
}
