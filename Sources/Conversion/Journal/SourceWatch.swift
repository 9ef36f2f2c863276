import Bytes
import Checkpoints
import SystemPackage

/// Notices that a file of the source is not any more what it was when the run began.
struct SourceWatch: Sendable {
  struct File: Sendable {
    var name: String
    var path: FilePath
    var byteCount: Int
    var modificationTime: Int
    /// XXH3-64 of the header of a weight file.
    var headerChecksum: UInt64?

    /// What tells the file from another one.
    var identity: String {
      "\(byteCount) bytes of \(modificationTime)"
        + (headerChecksum.map { ", header \($0.hexadecimal)" } ?? "")
    }
  }

  /// The weight files in the order of `checkpoint.files`, then the side files.
  let files: [File]

  /// - Throws: `ConversionError.sourceChanged` for a file that is not as it was opened.
  init(_ checkpoint: Checkpoint) throws {
    var files = try checkpoint.files.map {
      let file = try File(
        path: $0.path, name: checkpoint.name(of: $0), headerChecksum: $0.headerChecksum)
      if file.byteCount != $0.byteCount { throw ConversionError.sourceChanged(file: file.name) }
      return file
    }
    files += try checkpoint.sideFiles.map { try File(path: $0, name: Source.name(of: $0)) }
    self.files = files
  }

  /// - Parameter places: of weight files in `checkpoint.files`; nil for all, side files too.
  /// - Throws: `ConversionError.sourceChanged`.
  func check(_ places: Set<Int>? = nil) throws(ConversionError) {
    for file in places.map({ $0.map { files[$0] } }) ?? files {
      let status = try? SystemCalls.status(of: file.path, followingLinks: true)
      guard status?.byteCount == file.byteCount,
        status?.modificationTime == file.modificationTime
      else { throw .sourceChanged(file: file.name) }
    }
  }
}

extension SourceWatch.File {
  fileprivate init(path: FilePath, name: String, headerChecksum: UInt64? = nil) throws {
    let status = try? SystemCalls.status(of: path, followingLinks: true)
    guard let status else { throw ConversionError.sourceChanged(file: name) }
    self.init(
      name: name, path: path, byteCount: status.byteCount,
      modificationTime: status.modificationTime, headerChecksum: headerChecksum)
  }
}
