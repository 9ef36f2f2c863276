internal import Foundation
import SystemPackage

/// A folder that appears under its name when it is complete. Until then it is `<name>.partial`.
struct PartialFolder {
  /// Where to write.
  let path: FilePath
  private let final: FilePath

  /// - Throws: `ConversionError.cannotCreateFolder`.
  init(_ final: FilePath) throws(ConversionError) {
    self.final = final
    path = FilePath(final.string + ".partial")
    let manager = FileManager.default
    for taken in [final, path] where manager.fileExists(atPath: taken.string) {
      throw .cannotCreateFolder(
        path: taken.string, reason: "is there already; remove it, or choose another folder")
    }
    do {
      try manager.createDirectory(atPath: path.string, withIntermediateDirectories: false)
    } catch {
      throw .cannotCreateFolder(path: path.string, reason: Self.reason(error))
    }
  }

  /// Gives the folder its name.
  func publish() throws(ConversionError) {
    do {
      try FileManager.default.moveItem(atPath: path.string, toPath: final.string)
    } catch {
      throw .cannotCreateFolder(path: final.string, reason: Self.reason(error))
    }
  }

  /// Removes what was written.
  func discard() {
    try? FileManager.default.removeItem(atPath: path.string)
  }

  private static func reason(_ error: any Error) -> String {
    let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    return "cannot be created: \(cause?.localizedDescription ?? error.localizedDescription)"
  }
}
