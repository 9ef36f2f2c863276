import Bytes
import Checkpoints
public import SystemPackage

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
}

extension Source {
  /// Makes sure that writing to `path` destroys nothing of the source.
  /// - Throws: `ConversionError.outputIsSource` if a file of the source is there, by whatever name.
  public func checkIsNotPart(_ path: FilePath) throws(ConversionError) {
    guard let there = try? SystemCalls.status(of: path, followingLinks: true) else { return }
    let index = checkpoint.path.appending("model.safetensors.index.json")
    let others = checkpoint.unreadFiles.filter { !Self.isOutput($0) }
    for file in checkpoint.files.map(\.path) + checkpoint.sideFiles + others + [index] {
      guard let status = try? SystemCalls.status(of: file, followingLinks: true) else { continue }
      if status.device == there.device && status.inode == there.inode {
        throw .outputIsSource(path: path.string)
      }
    }
  }

  /// Whether a file's name is that of an output, finished or not: runs may leave theirs in the
  /// folder of the source.
  static func isOutput(_ path: FilePath) -> Bool {
    [".kelter", ".kelter.partial", ".kelter.journal", ".report.json", ".report.json.partial"]
      .contains { path.string.hasSuffix($0) }
  }
}
