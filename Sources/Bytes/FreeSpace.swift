public import SystemPackage

/// How much room the disk of a folder has.
public enum FreeSpace {
  /// The bytes that can still be written into `folder` without special rights.
  /// - Throws: `notFound`, or `cannotCreate` where the file system cannot be asked.
  public static func byteCount(of folder: FilePath) throws(BytesError) -> Int {
    do throws(Errno) {
      return try SystemCalls.freeByteCount(of: folder.isEmpty ? "." : folder)
    } catch {
      if error == .noSuchFileOrDirectory { throw .notFound(path: folder) }
      throw .inspectFailed(path: folder, error)
    }
  }
}
