import Bytes
import SystemPackage

/// Whether the disk has room for an output, asked before the work begins.
enum OutputRoom {
  /// - Parameter path: what will be written; its folder must exist.
  /// - Throws: `ConversionError.tooLittleRoom`, or `BytesError.cannotCreate` where the folder is not
  ///   there or is none.
  static func check(for byteCount: Int, at path: FilePath) throws {
    let parent = path.removingLastComponent()
    let folder = parent.isEmpty ? FilePath(".") : parent
    let available: Int
    do {
      available = try FreeSpace.byteCount(of: folder)
    } catch .notFound {
      throw BytesError.cannotCreate(path: path, .noSuchFileOrDirectory)
    } catch .inspectFailed(_, let errno) {
      throw BytesError.cannotCreate(path: path, errno)
    }
    guard byteCount <= available else {
      throw ConversionError.tooLittleRoom(
        folder: folder.string, needed: byteCount, available: available)
    }
  }
}
