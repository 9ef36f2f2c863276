package import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Calls of the operating system that swift-system lacks, or that must be tried again after EINTR.
/// Every one throws the `errno` that it met.
package enum SystemCalls {
  private static var lastError: Errno { Errno(rawValue: errno) }

  /// What `fstat` or `lstat` tells about a file.
  package struct Status: Equatable {
    package var device: UInt64
    package var inode: UInt64
    package var byteCount: Int
    /// What it takes on the disk.
    package var allocatedByteCount: Int
    package var linkCount: Int
    /// When its bytes changed last, in nanoseconds since 1970.
    package var modificationTime: Int
    package var isRegularFile: Bool
    package var isFolder: Bool
    package var isSymbolicLink: Bool
  }

  /// Calls until the outcome is anything but EINTR.
  private static func retrying<R: SignedInteger>(_ call: () -> R) throws(Errno) -> R {
    while true {
      let result = call()
      if result >= 0 { return result }
      let error = lastError
      if error != .interrupted { throw error }
    }
  }

  package static func open(
    _ path: FilePath, _ flags: Int32, mode: UInt32 = 0
  ) throws(Errno) -> Int32 {
    let flags = flags | O_CLOEXEC
    return try retrying {
      unsafe path.withPlatformString { unsafe Self.openFile($0, flags, mode) }
    }
  }

  private static func openFile(
    _ path: UnsafePointer<CChar>, _ flags: Int32, _ mode: UInt32
  ) -> Int32 {
    #if canImport(Glibc)
      unsafe Glibc.open(path, flags, mode)
    #else
      unsafe Musl.open(path, flags, mode)
    #endif
  }

  /// O_DIRECT, which the C library's module does not show.
  #if arch(arm64) || arch(arm)
    package static let directFlag: Int32 = 0o200_000
  #else
    package static let directFlag: Int32 = 0o40_000
  #endif

  package static func close(_ descriptor: Int32) {
    // Linux frees the descriptor even when close is interrupted: it must not be tried again.
    #if canImport(Glibc)
      _ = Glibc.close(descriptor)
    #else
      _ = Musl.close(descriptor)
    #endif
  }

  /// Reads at most all of `bytes`; 0 at the end of the file.
  package static func read(
    _ descriptor: Int32, at byteOffset: Int, into bytes: UnsafeMutableRawBufferPointer
  ) throws(Errno) -> Int {
    try retrying { unsafe pread(descriptor, bytes.baseAddress, bytes.count, off_t(byteOffset)) }
  }

  /// Writes at least one of `bytes`.
  package static func write(
    _ descriptor: Int32, at byteOffset: Int, _ bytes: UnsafeRawBufferPointer
  ) throws(Errno) -> Int {
    try retrying { unsafe pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(byteOffset)) }
  }

  package static func status(of descriptor: Int32) throws(Errno) -> Status {
    var status = stat()
    _ = try retrying { unsafe fstat(descriptor, &status) }
    return Status(status)
  }

  /// The status of a path, following symbolic links or not; nil if nothing is there.
  package static func status(
    of path: FilePath, followingLinks: Bool
  ) throws(Errno) -> Status? {
    var status = stat()
    do {
      _ = try retrying {
        unsafe path.withPlatformString {
          followingLinks ? unsafe stat($0, &status) : unsafe lstat($0, &status)
        }
      }
    } catch .noSuchFileOrDirectory {
      return nil
    }
    return Status(status)
  }

  package static func setByteCount(_ descriptor: Int32, _ byteCount: Int) throws(Errno) {
    _ = try retrying { ftruncate(descriptor, off_t(byteCount)) }
  }

  package static func sync(_ descriptor: Int32) throws(Errno) {
    _ = try retrying { fsync(descriptor) }
  }

  /// The same without what only tells when the file was changed.
  package static func syncData(_ descriptor: Int32) throws(Errno) {
    _ = try retrying { fdatasync(descriptor) }
  }

  /// Takes the exclusive lock of an open file, or throws `.wouldBlock` where another has it.
  package static func lock(_ descriptor: Int32) throws(Errno) {
    _ = try retrying { flock(descriptor, LOCK_EX | LOCK_NB) }
  }

  package static func rename(_ path: FilePath, to newPath: FilePath) throws(Errno) {
    _ = try retrying {
      unsafe path.withPlatformString { old in
        unsafe newPath.withPlatformString { new in unsafe Self.renameFile(old, new) }
      }
    }
  }

  private static func renameFile(
    _ old: UnsafePointer<CChar>, _ new: UnsafePointer<CChar>
  ) -> Int32 {
    #if canImport(Glibc)
      unsafe Glibc.rename(old, new)
    #else
      unsafe Musl.rename(old, new)
    #endif
  }

  /// Gives a file a second name, which must be free.
  package static func link(_ path: FilePath, to newPath: FilePath) throws(Errno) {
    _ = try retrying {
      unsafe path.withPlatformString { old in
        unsafe newPath.withPlatformString { new in
          unsafe linkat(AT_FDCWD, old, AT_FDCWD, new, 0)
        }
      }
    }
  }

  package static func remove(_ path: FilePath) throws(Errno) {
    _ = try retrying {
      unsafe path.withPlatformString { unsafe unlinkat(AT_FDCWD, $0, 0) }
    }
  }

  /// The bytes that an ordinary user may still write on the file system of `path`.
  package static func freeByteCount(of path: FilePath) throws(Errno) -> Int {
    var status = statvfs()
    _ = try retrying { unsafe path.withPlatformString { unsafe statvfs($0, &status) } }
    let (bytes, overflow) = UInt64(status.f_bavail)
      .multipliedReportingOverflow(by: UInt64(status.f_frsize))
    return overflow ? Int.max : Int(clamping: bytes)
  }

  /// Maps a whole file for reading. `byteCount` must be above 0.
  package static func map(
    _ descriptor: Int32, byteCount: Int
  ) throws(Errno) -> UnsafeRawBufferPointer {
    let address = unsafe mmap(nil, byteCount, PROT_READ, MAP_SHARED, descriptor, 0)
    guard let address = unsafe address, unsafe address != MAP_FAILED else { throw lastError }
    return unsafe UnsafeRawBufferPointer(start: address, count: byteCount)
  }

  package static func unmap(_ bytes: UnsafeRawBufferPointer) {
    guard let address = bytes.baseAddress else { return }
    _ = unsafe munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
  }
}

extension SystemCalls.Status {
  fileprivate init(_ status: stat) {
    self.init(
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino),
      byteCount: Int(clamping: status.st_size),
      allocatedByteCount: Int(clamping: status.st_blocks) * 512,
      linkCount: Int(clamping: status.st_nlink),
      modificationTime: status.st_mtim.tv_sec &* 1_000_000_000 &+ status.st_mtim.tv_nsec,
      isRegularFile: status.st_mode & S_IFMT == S_IFREG,
      isFolder: status.st_mode & S_IFMT == S_IFDIR,
      isSymbolicLink: status.st_mode & S_IFMT == S_IFLNK)
  }
}
