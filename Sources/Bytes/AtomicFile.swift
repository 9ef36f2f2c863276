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
/// that nobody holds (its run was killed) is adopted or replaced; one that another run holds is
/// refused. `publish` forces the bytes to the disk and renames. Reading and writing may be done by
/// several threads at once; `publish`, `keep` and `discard` come after all of them.
public final class AtomicFile: Sendable {
  private enum Stage { case writing, published, kept, discarded }

  /// The name under which the file will appear.
  public let path: FilePath
  /// The name under which it is written.
  public let partialPath: FilePath
  /// Whether a former run left the partial file, so that it holds what that run wrote.
  public let isAdopted: Bool
  private let replacing: Bool
  private let descriptor: Int32
  private let direct: DirectDescriptor
  private let stage = Mutex(Stage.writing)
  /// The bytes in the page cache that may not be on the disk.
  private let cachedByteCount = Atomic(0)

  /// How many that may be: no sync at the end takes long, and none can be interrupted.
  private static let maximumCachedByteCount = 64 << 20

  /// The name under which the file of a path is written.
  public static func partialPath(of path: FilePath) -> FilePath {
    path.removingLastComponent().appending("\(path.lastComponent?.string ?? "").partial")
  }

  /// Creates the partial file.
  /// - Parameters:
  ///   - replacing: Whether a file that is already at `path` may be replaced.
  ///   - adopting: Whether a partial file that nobody holds is taken over as it is.
  ///   - magic: What the file begins with at the end. A partial file that begins neither so nor
  ///     with zeros is nothing that a former run left, and stays; nil takes or replaces any.
  /// - Throws: `exists`, `foreign`, `beingWritten`, `cannotCreate`.
  public init(
    path: FilePath, replacing: Bool, adopting: Bool = false, magic: [UInt8]? = nil
  ) throws(BytesError) {
    guard path.lastComponent != nil else {
      throw .cannotCreate(path: path, .isDirectory)
    }
    self.path = path
    self.replacing = replacing
    partialPath = Self.partialPath(of: path)
    do throws(Errno) {
      if let status = try SystemCalls.status(of: path, followingLinks: false) {
        if status.isFolder { throw .isDirectory }
        // Nobody wants a device or a pipe replaced, such as /dev/null.
        if !status.isRegularFile, !status.isSymbolicLink { throw .notPermitted }
        if !replacing {
          throw .fileExists
        }
      }
    } catch {
      if error == .fileExists { throw .exists(path: path) }
      throw .cannotCreate(path: path, error)
    }
    (descriptor, isAdopted) = try Self.create(
      partialPath, for: path, adopting: adopting, magic: magic)
    direct = DirectDescriptor(of: descriptor)
  }

  deinit {
    discard()
    SystemCalls.close(descriptor)
  }

  /// Creates and locks the partial file, adopting or replacing one that nobody holds.
  private static func create(
    _ partialPath: FilePath, for path: FilePath, adopting: Bool, magic: [UInt8]?
  ) throws(BytesError) -> (descriptor: Int32, isAdopted: Bool) {
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
          if isNew { return (descriptor, false) }
          // Nobody holds it. After a kill between the two steps of `publish` it may be a second
          // name of a published file: then, or if it is to be replaced, only the name goes.
          let status = try SystemCalls.status(of: descriptor)
          if let magic {
            guard status.isRegularFile, try begins(descriptor, with: magic) else {
              throw .fileExists
            }
          }
          if adopting, status.isRegularFile, status.linkCount == 1 { return (descriptor, true) }
          try SystemCalls.remove(partialPath)
        }
      } catch {
        SystemCalls.close(descriptor)
        if error == .wouldBlock { throw .beingWritten(path: path, partialPath: partialPath) }
        if error == .fileExists { throw .foreign(path: partialPath) }
        throw .cannotCreate(path: partialPath, error)
      }
      SystemCalls.close(descriptor)
    }
    throw .beingWritten(path: path, partialPath: partialPath)
  }

  /// Whether a file begins with these bytes or with as many zeros, as far as it goes.
  private static func begins(_ descriptor: Int32, with magic: [UInt8]) throws(Errno) -> Bool {
    var bytes = magic
    var span = bytes.mutableRawSpan
    let count = try unsafe span.withUnsafeMutableBytes { buffer throws(Errno) in
      try unsafe SystemCalls.read(descriptor, at: 0, into: buffer)
    }
    let start = bytes.prefix(count)
    return start == magic.prefix(count) || start.max() == 0
  }

  /// Whether the open file is still the one that bears this name.
  private static func isNamed(_ path: FilePath, _ descriptor: Int32) throws(Errno) -> Bool {
    let named = try SystemCalls.status(of: path, followingLinks: false)
    let open = try SystemCalls.status(of: descriptor)
    return named?.device == open.device && named?.inode == open.inode
  }

  /// Writes all of `bytes` at `byteOffset`; the file grows as needed. What starts at a page in
  /// memory and in the file and is made of whole pages, as a `PageBuffer` is, goes around the page
  /// cache where the file system lets it.
  /// - Throws: `writeFailed` with the reason, a full disk among them; `syncFailed`.
  public func write(_ bytes: RawSpan, at byteOffset: Int) throws(BytesError) {
    let count = try descriptor.writeAll(bytes, path: partialPath, at: byteOffset, direct: direct)
    let sum = cachedByteCount.wrappingAdd(count, ordering: .relaxed).newValue
    guard sum >= Self.maximumCachedByteCount,
      // Whoever has added the last bytes sees to it, and others write on.
      cachedByteCount.compareExchange(expected: sum, desired: 0, ordering: .relaxed).exchanged
    else { return }
    do throws(Errno) {
      try SystemCalls.syncData(descriptor)
    } catch {
      throw .syncFailed(path: partialPath, error)
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

  /// The bytes on the disk that the partial file has been given so far.
  public func allocatedByteCount() throws(BytesError) -> Int {
    do throws(Errno) {
      return try SystemCalls.status(of: descriptor).allocatedByteCount
    } catch {
      throw .inspectFailed(path: partialPath, error)
    }
  }

  /// Forces the bytes to the disk.
  /// - Throws: `syncFailed`.
  public func sync() throws(BytesError) {
    do throws(Errno) {
      try SystemCalls.sync(descriptor)
    } catch {
      throw .syncFailed(path: partialPath, error)
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
      try sync()
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
    // It has its name. The other one may be gone: a second run tidies up beside an output.
    try? SystemCalls.remove(partialPath)
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

  /// Leaves the partial file where it is, for a later run to adopt.
  public func keep() {
    stage.withLock { stage in
      if stage == .writing { stage = .kept }
    }
  }

  /// Removes the partial file, unless it was published or kept. May be called more than once.
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
