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

  /// Whether a file starts as containers do, or as a packed one. False for a folder, and for what
  /// cannot be read: to open it as a checkpoint tells why.
  static func isContainer(at path: FilePath) -> Bool {
    guard let file = try? File(path: path) else { return false }
    let magic = ContainerFormat.magic
    return (try? ArchiveReader.isArchive(file)) == true
      || (try? file.bytes(in: 0..<magic.count)) == magic
  }
}

extension Checkpoint {
  /// Opens what a user names as a checkpoint.
  /// - Throws: `ConversionError.unfinished`, `.leftOver`, `.notACheckpoint`, `.notLocal`, and what
  ///   `init(path:)` throws.
  public convenience init(named path: FilePath) throws {
    try Journal.checkIsFinished(path)
    if ContainerReader.isContainer(at: path) {
      throw ConversionError.notACheckpoint(file: path.string)
    }
    if path.isNamedAsRepository, try Folder.kind(of: path.removingLastComponent()) == nil {
      throw ConversionError.notLocal(repository: path.string)
    }
    try self.init(path: path)
  }
}

extension FilePath {
  /// Whether the name ends as those of containers and their archives do.
  var isNamedAsContainer: Bool { `extension` == "kelter" || string.hasSuffix(".kelter.zst") }

  /// Whether it is `owner/name`, as repositories on the Hugging Face Hub are named.
  fileprivate var isNamedAsRepository: Bool {
    isRelative && components.count == 2 && components.allSatisfy { $0.kind == .regular }
  }
}
