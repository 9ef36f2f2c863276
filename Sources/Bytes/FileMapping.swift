public import SystemPackage

/// A file mapped into memory for reading; the mapping ends with this object.
///
/// For files that this program wrote and verified. A source that may be truncated under the
/// reader is read with `File`, because touching a lost page raises SIGBUS.
@safe
public final class FileMapping: @unchecked Sendable {
  // Unchecked: the buffer is never written and lives as long as the object.

  /// Where the file is.
  public let path: FilePath
  private let buffer: UnsafeRawBufferPointer

  /// Maps a regular file.
  /// - Throws: `notFound`, `cannotOpen`, `notAFile` or `mappingFailed`.
  public init(path: FilePath) throws(BytesError) {
    let (descriptor, byteCount) = try File.open(path)
    defer { SystemCalls.close(descriptor) }
    self.path = path
    guard byteCount > 0 else {
      unsafe buffer = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    do throws(Errno) {
      unsafe buffer = try SystemCalls.map(descriptor, byteCount: byteCount)
    } catch {
      throw .mappingFailed(path: path, error)
    }
  }

  deinit { unsafe SystemCalls.unmap(buffer) }

  /// The size of the file when it was mapped.
  public var byteCount: Int { unsafe buffer.count }

  /// The whole file.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = unsafe RawSpan(_unsafeBytes: buffer)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }
}
