public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Looks into folders.
public enum Folder {
  /// What stands at a path.
  public enum Kind: Sendable, Hashable { case file, folder, other }

  /// What stands at a path, symbolic links followed; nil if nothing does.
  public static func kind(of path: FilePath) throws(BytesError) -> Kind? {
    do throws(Errno) {
      guard let status = try SystemCalls.status(of: path, followingLinks: true) else { return nil }
      return status.isRegularFile ? .file : status.isFolder ? .folder : .other
    } catch {
      if error == .notDirectory { return nil }
      throw .inspectFailed(path: path, error)
    }
  }

  /// The names in a folder, sorted by their bytes.
  /// - Throws: `notFound`, or `cannotOpen` if it is no folder or may not be read.
  public static func names(in folder: FilePath) throws(BytesError) -> [String] {
    let stream = unsafe folder.withPlatformString { unsafe opendir($0) }
    guard let stream = unsafe stream else {
      let error = Errno(rawValue: errno)
      if error == .noSuchFileOrDirectory { throw .notFound(path: folder) }
      throw .cannotOpen(path: folder, error)
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
      errno = 0
    }
    let error = Errno(rawValue: errno)
    if error.rawValue != 0 { throw .cannotOpen(path: folder, error) }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
