import Bytes
public import Checkpoints
public import Container
public import SystemPackage

extension ContainerReader {
  /// Opens what a user names as a `.kelter` file, packed or not.
  /// - Throws: `ConversionError.unfinished`, `.leftOver`, `.notAContainer`, and what `init(path:)`
  ///   throws.
  public convenience init(named path: FilePath) throws {
    try Journal.checkIsFinished(path)
    if (try? Folder.kind(of: path)) == .folder {
      throw ConversionError.notAContainer(folder: path.string)
    }
    try self.init(path: path)
  }

  /// Whether a file starts as containers do, or as a packed one. False for a folder.
  /// - Throws: `BytesError.notFound` if nothing is there.
  static func isContainer(at path: FilePath) throws -> Bool {
    do {
      let file = try File(path: path)
      let magic = ContainerFormat.magic
      if try ArchiveReader.isArchive(file) { return true }
      return try file.byteCount >= magic.count && file.bytes(in: 0..<magic.count) == magic
    } catch BytesError.notAFile {
      return false
    }
  }
}

extension Checkpoint {
  /// Opens what a user names as a checkpoint.
  /// - Throws: `ConversionError.unfinished`, `.leftOver`, `.notACheckpoint`, and what `init(path:)`
  ///   throws.
  public convenience init(named path: FilePath) throws {
    try Journal.checkIsFinished(path)
    // Why a file cannot be opened is told below.
    if (try? ContainerReader.isContainer(at: path)) == true {
      throw ConversionError.notACheckpoint(file: path.string)
    }
    try self.init(path: path)
  }
}

extension FilePath {
  /// Whether the name ends as those of containers and their archives do.
  var isNamedAsContainer: Bool { `extension` == "kelter" || string.hasSuffix(".kelter.zst") }
}
