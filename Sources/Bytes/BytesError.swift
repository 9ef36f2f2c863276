public import SystemPackage

/// What can fail while a file is read or written.
public enum BytesError: KelterError {
  /// There is no such file or folder.
  case notFound(path: FilePath)
  /// The file is there and cannot be opened.
  case cannotOpen(path: FilePath, Errno)
  /// A folder, a pipe or a device stands where a file is wanted.
  case notAFile(path: FilePath)
  /// The operating system failed to read at this offset.
  case readFailed(path: FilePath, byteOffset: Int, Errno)
  /// The file ends before what was asked for.
  case truncated(path: FilePath, byteOffset: Int, wanted: Int, byteCount: Int)
  /// The file could not be mapped into memory.
  case mappingFailed(path: FilePath, Errno)
  /// The output is there already and was not to be replaced.
  case exists(path: FilePath)
  /// Another run holds the lock on the partial file.
  case beingWritten(path: FilePath, partialPath: FilePath)
  /// A file that no run of this program can have left stands where an output is written.
  case foreign(path: FilePath)
  /// The output cannot be created.
  case cannotCreate(path: FilePath, Errno)
  /// The operating system failed to write at this offset, ENOSPC among the reasons.
  case writeFailed(path: FilePath, byteOffset: Int, Errno)
  /// What was written could not be forced to the disk, so it may be lost.
  case syncFailed(path: FilePath, Errno)
  /// The complete file could not be given its name.
  case publishFailed(path: FilePath, Errno)
  /// The file cannot be listed or measured.
  case inspectFailed(path: FilePath, Errno)
  /// An archive cannot be made.
  case cannotPack(reason: String)
  /// An archive contradicts zstd's formats or its own seek table.
  case archive(path: FilePath, ArchiveDamage)
  /// The run was asked to stop.
  case interrupted

  public var kind: FailureKind {
    switch self {
    case .notFound: .notFound
    case .cannotOpen(_, let errno):
      errno == .noSuchFileOrDirectory || errno == .notDirectory ? .notFound : .inputOutput
    case .notAFile, .truncated, .archive: .invalidInput
    case .exists, .beingWritten, .foreign, .cannotCreate: .cannotCreate
    case .readFailed, .mappingFailed, .writeFailed, .syncFailed, .publishFailed, .inspectFailed,
      .cannotPack:
      .inputOutput
    case .interrupted: .interrupted
    }
  }

  public var description: String {
    switch self {
    case .notFound(let path):
      "\(path): there is no such file or folder"
    case .cannotOpen(let path, let errno):
      "\(path): cannot be opened: \(errno)"
    case .notAFile(let path):
      "\(path): a regular file is wanted here, and this is none"
    case .readFailed(let path, let byteOffset, let errno):
      "\(path): reading at byte \(byteOffset) failed: \(errno)"
    case .truncated(let path, let byteOffset, let wanted, let byteCount):
      "\(path): truncated: \(wanted) bytes are wanted at byte \(byteOffset) and the file has "
        + "\(byteCount) bytes in all; fetch it again"
    case .mappingFailed(let path, let errno):
      "\(path): cannot be mapped into memory: \(errno)"
    case .exists(let path):
      "\(path): exists already; remove it, or replace it with --force"
    case .beingWritten(let path, let partialPath):
      "\(path): another run is writing it (it holds \(partialPath)); wait for it or end it"
    case .foreign(let path):
      "\(path): would be overwritten, and was not written by kelter; move it away"
    case .cannotCreate(let path, .noSuchFileOrDirectory):
      "\(path): cannot be created: the folder it would be in does not exist; make it first"
    case .cannotCreate(let path, .isDirectory):
      "\(path): cannot be created: it is a folder; name a file in it"
    case .cannotCreate(let path, let errno):
      "\(path): cannot be created: \(errno)"
    case .writeFailed(let path, let byteOffset, let errno):
      "\(path): writing at byte \(byteOffset) failed: \(errno)"
    case .syncFailed(let path, let errno):
      "\(path): forcing it to the disk failed: \(errno)"
    case .publishFailed(let path, let errno):
      "\(path): giving the finished file its name failed: \(errno)"
    case .inspectFailed(let path, let errno):
      "\(path): cannot be examined: \(errno)"
    case .cannotPack(let reason):
      "packing failed: \(reason)"
    case .archive(let path, let damage):
      "\(path): \(damage)"
    case .interrupted: "interrupted; nothing was published"
    }
  }
}
