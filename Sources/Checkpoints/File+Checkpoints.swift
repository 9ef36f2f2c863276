import Bytes
import SystemPackage

extension File {
  /// Opens a file, its failure being the checkpoint's.
  static func open(_ path: FilePath) throws(CheckpointsError) -> File {
    do throws(BytesError) {
      return try File(path: path)
    } catch {
      throw .file(error)
    }
  }

  /// Reads a range, its failure being the checkpoint's.
  func read(_ range: Range<Int>) throws(CheckpointsError) -> [UInt8] {
    do throws(BytesError) {
      return try bytes(in: range)
    } catch {
      throw .file(error)
    }
  }
}
