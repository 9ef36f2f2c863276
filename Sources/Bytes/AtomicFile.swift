import Synchronization
public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file that appears under its name complete, or not at all.
///
/// It is written as `<path>.partial`, which is locked as long as this object lives. A partial file
/// that nobody holds (its run was killed) is replaced; one that another run holds is refused.
/// `publish` forces the bytes to the disk and renames. Reading and writing may be done by several
/// threads at once; `publish` and `discard` come after all of them.
public final class AtomicFile: Sendable {
  private enum Stage { case writing, published, discarded }

  /// The name under which the file will appear.
  public let path: FilePath
  /// The name under which it is written.
  public let partialPath: FilePath
  private let replacing: Bool
  private let descriptor: Int32
  private let stage = Mutex(Stage.writing)

  /// Creates the partial file.
  /// - Parameter replacing: Whether a file that is already at `path` may be replaced.
  /// - Throws: `exists`, `beingWritten`, `cannotCreate`.
  public init(path: FilePath, replacing: Bool) throws(BytesError) {
    guard let name = path.lastComponent else {
      throw .cannotCreate(path: path, .isDirectory)
    }
    self.path = path
    self.replacing = replacing
    partialPath = path.removingLastComponent().appending("\(name.string).partial")
    do throws(Errno) {
      if let status = try SystemCalls.status(of: path, followingLinks: false) {
        if status.isFolder { throw .isDirectory }
        if !replacing {
          descriptor = -1
          throw .fileExists
        }
      }
    } catch {
      if error == .fileExists { throw .exists(path: path) }
      throw .cannotCreate(path: path, error)
    }
    descriptor = try Self.create(partialPath, for: path)
  }

  deinit {
    discard()
    SystemCalls.close(descriptor)
  }

  /// Creates and locks the partial file, replacing one that nobody holds.
  private static func create(
    _ partialPath: FilePath, for path: FilePath
  ) throws(BytesError) -> Int32 {
    // Each turn but the last met a file that another run removed or replaced meanwhile.
    for _ in 0..<100 {
      var isNew = true
      var descriptor: Int32
      do throws(Errno) {
        do throws(Errno) {
          descriptor = try SystemCalls.open(
            partialPath, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o644)
        } catch .fileExists {
          isNew = false
          descriptor = try SystemCalls.open(partialPath, O_RDWR | O_NOFOLLOW | O_NONBLOCK)
        }
      } catch {
        if !isNew, error == .noSuchFileOrDirectory { continue }
        throw .cannotCreate(path: isNew ? path : partialPath, error)
      }
      do throws(Errno) {
        try SystemCalls.lock(descriptor)
        if try isNamed(partialPath, descriptor) {
          if isNew { return descriptor }
          // Nobody holds it. It is removed rather than emptied: after a kill between the two
          // steps of `publish` it may be a second name of a published file.
          try SystemCalls.remove(partialPath)
        }
      } catch {
        SystemCalls.close(descriptor)
        if error == .wouldBlock { throw .beingWritten(path: path, partialPath: partialPath) }
        throw .cannotCreate(path: partialPath, error)
      }
      SystemCalls.close(descriptor)
    }
    throw .beingWritten(path: path, partialPath: partialPath)
  }

  /// Whether the open file is still the one that bears this name.
  private static func isNamed(_ path: FilePath, _ descriptor: Int32) throws(Errno) -> Bool {
    let named = try SystemCalls.status(of: path, followingLinks: false)
    let open = try SystemCalls.status(of: descriptor)
    return named?.device == open.device && named?.inode == open.inode
  }

  /// Writes all of `bytes` at `byteOffset`; the file grows as needed.
  /// - Throws: `writeFailed` with the reason, a full disk among them.
  public func write(_ bytes: RawSpan, at byteOffset: Int) throws(BytesError) {
    guard byteOffset >= 0, !byteOffset.addingReportingOverflow(bytes.byteCount).overflow else {
      throw .writeFailed(path: partialPath, byteOffset: byteOffset, .fileTooLarge)
    }
    var done = 0
    while done < bytes.byteCount {
      do throws(Errno) {
        done += try unsafe bytes.withUnsafeBytes { buffer throws(Errno) in
          try unsafe SystemCalls.write(
            descriptor, at: byteOffset + done, UnsafeRawBufferPointer(rebasing: buffer[done...]))
        }
      } catch {
        throw .writeFailed(path: partialPath, byteOffset: byteOffset + done, error)
      }
    }
  }

  /// Fills `bytes` with what was written at `byteOffset`.
  /// - Throws: `truncated` past the end, `readFailed`.
  public func read(at byteOffset: Int, into bytes: inout MutableRawSpan) throws(BytesError) {
    try descriptor.readAll(path: partialPath, at: byteOffset, into: &bytes)
  }

  /// Cuts the file or extends it with zeros.
  public func setByteCount(_ byteCount: Int) throws(BytesError) {
    do throws(Errno) {
      try SystemCalls.setByteCount(descriptor, byteCount)
    } catch {
      throw .writeFailed(path: partialPath, byteOffset: byteCount, error)
    }
  }

  /// Forces the bytes to the disk and gives the file its name.
  ///
  /// Unless the file was to be replaced, the name must still be free: a file that appeared there
  /// meanwhile is left alone.
  /// - Throws: `exists`, `syncFailed`, `publishFailed`. The partial file stays until `discard`.
  public func publish() throws(BytesError) {
    try stage.withLock { stage throws(BytesError) in
      guard stage == .writing else { return }
      do throws(Errno) {
        try SystemCalls.sync(descriptor)
      } catch {
        throw .syncFailed(path: partialPath, error)
      }
      do throws(Errno) {
        guard try Self.isNamed(partialPath, descriptor) else { throw .noSuchFileOrDirectory }
        if replacing {
          try SystemCalls.rename(partialPath, to: path)
        } else {
          try renameToFreeName()
        }
      } catch {
        if error == .fileExists { throw .exists(path: path) }
        throw .publishFailed(path: path, error)
      }
      stage = .published
      try syncFolder()
    }
  }

  /// Renames, refusing a name that is taken. A hard link does both in one step; where the file
  /// system has none, a check right before the rename must do.
  private func renameToFreeName() throws(Errno) {
    do throws(Errno) {
      try SystemCalls.link(partialPath, to: path)
    } catch {
      guard [.notPermitted, .notSupported, .noFunction, .tooManyLinks].contains(error) else {
        throw error
      }
      if try SystemCalls.status(of: path, followingLinks: false) != nil { throw .fileExists }
      return try SystemCalls.rename(partialPath, to: path)
    }
    try SystemCalls.remove(partialPath)
  }

  /// Makes the new name itself survive a power cut.
  private func syncFolder() throws(BytesError) {
    let parent = path.removingLastComponent()
    let folder: FilePath = parent.isEmpty ? "." : parent
    do throws(Errno) {
      let descriptor = try SystemCalls.open(folder, O_RDONLY | O_DIRECTORY)
      defer { SystemCalls.close(descriptor) }
      do throws(Errno) {
        try SystemCalls.sync(descriptor)
      } catch .invalidArgument {
        // Some network file systems cannot sync a folder and say so this way.
      }
    } catch {
      throw .syncFailed(path: folder, error)
    }
  }

  /// Removes the partial file, unless it was published. May be called more than once.
  public func discard() {
    stage.withLock { stage in
      guard stage == .writing else { return }
      stage = .discarded
      if (try? Self.isNamed(partialPath, descriptor)) == true {
        try? SystemCalls.remove(partialPath)
      }
    }
  }
}
