public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file that is read at given offsets, by any number of threads at once.
///
/// Reading goes through `pread` into the caller's buffer: a file that shrinks or a disk that fails
/// is an error that names the byte, where a mapping would raise SIGBUS.
public final class File: ByteSource {
  /// Where the file is.
  public let path: FilePath
  /// Its size when it was opened.
  public let byteCount: Int
  private let descriptor: Int32

  /// Opens a regular file for reading.
  /// - Throws: `notFound`, `cannotOpen`, or `notAFile` for a folder, pipe or device.
  public init(path: FilePath) throws(BytesError) {
    (descriptor, byteCount) = try Self.open(path)
    self.path = path
  }

  deinit { SystemCalls.close(descriptor) }

  /// Opens without waiting for the other end of a pipe, and refuses what is no regular file.
  static func open(_ path: FilePath) throws(BytesError) -> (descriptor: Int32, byteCount: Int) {
    let descriptor: Int32
    do throws(Errno) {
      descriptor = try SystemCalls.open(path, O_RDONLY | O_NONBLOCK)
    } catch {
      if error == .noSuchFileOrDirectory { throw .notFound(path: path) }
      throw .cannotOpen(path: path, error)
    }
    do throws(Errno) {
      let status = try SystemCalls.status(of: descriptor)
      if status.isRegularFile { return (descriptor, status.byteCount) }
    } catch {
      SystemCalls.close(descriptor)
      throw .inspectFailed(path: path, error)
    }
    SystemCalls.close(descriptor)
    throw .notAFile(path: path)
  }

  /// Fills `bytes` from `byteOffset` on.
  /// - Throws: `truncated` if the file ends before, `readFailed` naming the offset.
  public func read(
    at byteOffset: Int, into bytes: inout MutableRawSpan
  ) throws(BytesError) {
    try descriptor.readAll(path: path, at: byteOffset, into: &bytes)
  }

  /// The whole file: for configurations and tables, not for weights.
  public func allBytes() throws(BytesError) -> [UInt8] { try bytes(in: 0..<byteCount) }
}

extension Int32 {
  /// Reads from this descriptor until `bytes` is full.
  func readAll(
    path: FilePath, at byteOffset: Int, into bytes: inout MutableRawSpan
  ) throws(BytesError) {
    let wanted = bytes.byteCount
    guard byteOffset >= 0, !byteOffset.addingReportingOverflow(wanted).overflow else {
      throw .truncated(path: path, byteOffset: byteOffset, wanted: wanted, byteCount: 0)
    }
    var done = 0
    while done < wanted {
      let count: Int
      do throws(Errno) {
        count = try unsafe bytes.withUnsafeMutableBytes { buffer throws(Errno) in
          try unsafe SystemCalls.read(
            self, at: byteOffset + done,
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
        }
      } catch {
        throw .readFailed(path: path, byteOffset: byteOffset + done, error)
      }
      if count == 0 {
        let size = (try? SystemCalls.status(of: self).byteCount) ?? byteOffset + done
        throw .truncated(path: path, byteOffset: byteOffset, wanted: wanted, byteCount: size)
      }
      done += count
    }
  }

  /// Writes all of `bytes` to this descriptor, or to one around the page cache what that takes.
  /// - Returns: how many bytes went into the page cache.
  @discardableResult
  func writeAll(
    _ bytes: RawSpan, path: FilePath, at byteOffset: Int, direct: DirectDescriptor? = nil
  ) throws(BytesError) -> Int {
    guard byteOffset >= 0, !byteOffset.addingReportingOverflow(bytes.byteCount).overflow else {
      throw .writeFailed(path: path, byteOffset: byteOffset, .fileTooLarge)
    }
    var done = 0
    var cachedByteCount = 0
    while done < bytes.byteCount {
      do throws(Errno) {
        done += try unsafe bytes.withUnsafeBytes { buffer throws(Errno) in
          let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
          if let count = try unsafe direct?.write(rest, at: byteOffset + done) { return count }
          let count = try unsafe SystemCalls.write(self, at: byteOffset + done, rest)
          cachedByteCount += count
          return count
        }
      } catch {
        throw .writeFailed(path: path, byteOffset: byteOffset + done, error)
      }
    }
    return cachedByteCount
  }
}
