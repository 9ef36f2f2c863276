import ArgumentParser
import Bytes
import Foundation
import SystemPackage
import Validation

/// Recipes and budgets, which the user writes by hand.
enum TextFile {
  private static let maximumByteCount = 1 << 20

  /// The text of a file.
  static func read(_ path: FilePath) throws -> String {
    let file = try File(path: path)
    guard file.byteCount <= maximumByteCount else {
      throw Failure.tooLarge(path: path.string, byteCount: file.byteCount)
    }
    return String(decoding: try file.allBytes(), as: UTF8.self)
  }

  enum Failure: KelterError {
    case tooLarge(path: String, byteCount: Int)

    var kind: FailureKind { .usage }
    var description: String {
      switch self {
      case .tooLarge(let path, let byteCount):
        "\(path): \(Figures.bytes(byteCount)) are too many for a recipe or a budget"
      }
    }
  }
}

/// A report under the name that the user gave. It is created before a long run, which would be for
/// nothing if it could not be.
struct ReportFile {
  private let form: ReportForm
  private let file: AtomicFile

  init(_ path: FilePath) throws {
    form = try ReportForm(fileName: path.string)
    file = try AtomicFile(path: path, replacing: true)
  }

  /// Writes the report in the form that the name's ending tells, whole or not at all.
  func publish(_ report: Report) throws {
    try file.write(Array(report.text(as: form).utf8).rawSpan, at: 0)
    try file.publish()
  }
}

/// Makes sure that a file to be written is none of those that other options name.
func checkIsApart(
  _ option: String, _ path: FilePath?, from others: [(option: String, path: FilePath?)]
) throws {
  guard let path else { return }
  for (other, file) in others {
    if let file, path.isSamePlace(as: file) {
      throw ValidationError("\(option) and \(other) name the same file, \(path)")
    }
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
