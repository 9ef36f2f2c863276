import Foundation
public import SystemPackage

/// Makes an empty folder, calls `body` with it, and removes it with all that is in it.
public func withTemporaryFolder<R>(_ body: (FilePath) throws -> R) throws -> R {
  let url = FileManager.default.temporaryDirectory
    .appendingPathComponent("kelter-tests-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: url) }
  return try body(FilePath(url.path))
}

/// Writes a file, replacing what is there.
public func writeFile(_ path: FilePath, _ bytes: [UInt8]) throws {
  try Data(bytes).write(to: URL(fileURLWithPath: path.string))
}

/// Writes a file of this name into a folder, replacing what is there.
public func writeFile(_ name: String, in folder: FilePath, _ bytes: [UInt8]) throws {
  try writeFile(folder.appending(name), bytes)
}

/// The bytes of a file.
public func contents(_ path: FilePath) throws -> [UInt8] {
  try [UInt8](Data(contentsOf: URL(fileURLWithPath: path.string)))
}

/// Whether something is at this path.
public func exists(_ path: FilePath) -> Bool {
  FileManager.default.fileExists(atPath: path.string)
}
