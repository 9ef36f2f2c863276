import Bytes
import Foundation
import SystemPackage
import Validation

/// Small files that the user names.
enum TextFile {
  /// The text of a file.
  static func read(_ path: String) throws -> String {
    String(decoding: try bytes(path), as: UTF8.self)
  }

  /// The bytes of a file.
  static func bytes(_ path: String) throws -> [UInt8] {
    let file = try File(path: FilePath(path))
    return try file.bytes(in: 0..<file.byteCount)
  }
}

/// A report under the name that the user gave. It is created before a long run, which would be for
/// nothing if it could not be.
struct ReportFile {
  private let form: ReportForm
  private let file: AtomicFile

  init(_ path: String) throws {
    form = try ReportForm(fileName: path)
    file = try AtomicFile(path: FilePath(path), replacing: true)
  }

  /// Writes the report in the form that the name's ending tells, whole or not at all.
  func publish(_ report: Report) throws {
    try file.write(Array(report.text(as: form).utf8).rawSpan, at: 0)
    try file.publish()
  }
}

extension FilePath {
  /// Whether two paths are the same, one of them perhaps relative to the current folder.
  func isSamePlace(as other: FilePath) -> Bool {
    let current = FilePath(FileManager.default.currentDirectoryPath)
    return current.pushing(self).lexicallyNormalized()
      == current.pushing(other).lexicallyNormalized()
  }
}
