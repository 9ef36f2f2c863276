public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file beside an output that a run keeps its own notes in, and that may outlive it.
///
/// It is read and written at given offsets. Nothing is locked: that is up to the output.
public final class WorkFile: ByteSource {
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

  public func read(at byteOffset: Int, into bytes: inout MutableRawSpan) throws(BytesError) {
    try descriptor.readAll(path: path, at: byteOffset, into: &bytes)
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
