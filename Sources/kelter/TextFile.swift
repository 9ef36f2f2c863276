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

  /// Writes a report in the form that the name's ending tells, whole or not at all.
  static func write(_ report: Report, to path: String) throws {
    let text = report.text(as: try ReportForm(fileName: path))
    let file = try AtomicFile(path: FilePath(path), replacing: true)
    try file.write(Array(text.utf8).rawSpan, at: 0)
    try file.publish()
  }
}
