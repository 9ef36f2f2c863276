public import Bytes
import Checkpoints
import Container
public import SystemPackage

/// What room there is for an output, asked before the work begins.
public struct OutputRoom: Sendable, Codable, Equatable {
  /// The folder of the output.
  public let folder: String
  /// The bytes that can be written there.
  public let freeBytes: Int
  /// Those that are wanted: what a former run has written already is not.
  public let neededBytes: Int

  enum CodingKeys: String, CodingKey {
    case folder
    case freeBytes = "free_bytes"
    case neededBytes = "needed_bytes"
  }

  /// - Parameter path: what will be written; its folder must exist.
  /// - Throws: `BytesError.cannotCreate` where the folder is not there or is none.
  init(for byteCount: Int, at path: FilePath) throws(BytesError) {
    let parent = path.removingLastComponent()
    let folder = parent.isEmpty ? FilePath(".") : parent
    do {
      freeBytes = try FreeSpace.byteCount(of: folder)
    } catch .notFound {
      throw BytesError.cannotCreate(path: path, .noSuchFileOrDirectory)
    } catch .inspectFailed(_, let errno) {
      throw BytesError.cannotCreate(path: path, errno)
    }
    self.folder = folder.string
    neededBytes = byteCount
  }

  /// The room for the output of a plan, of which a run that was interrupted may have written a
  /// part.
  /// - Parameter path: nil for an output in the present folder that has no name yet.
  public init(for plan: ConversionPlan, at path: FilePath?) throws(BytesError) {
    let partial = path.flatMap {
      try? SystemCalls.status(of: AtomicFile.partialPath(of: $0), followingLinks: false)
    }
    let written = partial.map { $0.isRegularFile ? $0.allocatedByteCount : 0 } ?? 0
    try self.init(for: max(0, plan.container.byteCount - written), at: path ?? "output")
  }

  /// Whether the output fits.
  public var isEnough: Bool { neededBytes <= freeBytes }

  /// - Throws: `ConversionError.tooLittleRoom`.
  public func check() throws(ConversionError) {
    guard isEnough else {
      throw .tooLittleRoom(folder: folder, needed: neededBytes, available: freeBytes)
    }
  }

  /// - Throws: what `init` and `check` throw.
  static func check(for byteCount: Int, at path: FilePath) throws {
    try OutputRoom(for: byteCount, at: path).check()
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
