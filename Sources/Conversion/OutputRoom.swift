import Bytes
import Checkpoints
import SystemPackage

/// Whether an output can have its place, asked before the work begins.
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

  /// - Throws: `ConversionError.outputIsSource` if a file of the source is at `path`, by whatever name.
  static func checkIsNot(_ source: Source, at path: FilePath) throws {
    guard let there = try? SystemCalls.status(of: path, followingLinks: true) else { return }
    for file in source.checkpoint.files.map(\.path) + source.checkpoint.sideFiles {
      guard let status = try? SystemCalls.status(of: file, followingLinks: true) else { continue }
      if status.device == there.device && status.inode == there.inode {
        throw ConversionError.outputIsSource(path: path.string)
      }
    }
  }
}
