import FixtureSupport
import Foundation
import SystemPackage
import Testing

/// One run of the `kelter` that was built along with the tests.
struct CommandRun {
  let exitCode: Int32
  let output: String
  let errors: String

  /// The lines on stderr.
  var errorLines: [String] { errors.split(separator: "\n").map(String.init) }

  /// The folder of the build, which holds the tests' executable and the command's.
  static let binary = Bundle.main.executableURL!.resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("kelter")

  /// - Parameters:
  ///   - environment: is added to that of the tests.
  ///   - device: takes what goes to stdout, in place of `output`.
  ///   - folder: where it runs, if not where the tests do.
  init(
    _ arguments: [String], environment: [String: String] = [:], output device: String? = nil,
    folder: FilePath? = nil
  ) throws {
    let process = Process()
    process.executableURL = Self.binary
    process.arguments = arguments
    if let folder { process.currentDirectoryURL = URL(filePath: folder.string) }
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    // Files rather than pipes: nobody has to empty them while the command runs.
    let captured = FileManager.default.temporaryDirectory
      .appendingPathComponent("kelter-run-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: captured, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: captured) }
    let files = ["output", "errors"].map { captured.appendingPathComponent($0) }
    for file in files { try Data().write(to: file) }
    let handles = try files.map { try FileHandle(forWritingTo: $0) }
    process.standardOutput =
      try device.map { try FileHandle(forUpdating: URL(filePath: $0)) }
      ?? handles[0]
    process.standardError = handles[1]
    try process.run()
    process.waitUntilExit()
    for handle in handles { try handle.close() }
    exitCode = process.terminationReason == .exit ? process.terminationStatus : -1
    output = String(decoding: try Data(contentsOf: files[0]), as: UTF8.self)
    errors = String(decoding: try Data(contentsOf: files[1]), as: UTF8.self)
  }
}

/// Runs `kelter`.
func kelter(
  _ arguments: String..., environment: [String: String] = [:]
) throws -> CommandRun {
  try CommandRun(arguments, environment: environment)
}

/// Runs `kelter` and expects it to fail with this exit code and one line on stderr that names all
/// of `parts`.
@discardableResult
func expectFailure(
  _ exitCode: Int32, naming parts: String..., of arguments: [String],
  environment: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
) throws -> CommandRun {
  let run = try CommandRun(arguments, environment: environment)
  #expect(run.exitCode == exitCode, "\(run.errors)", sourceLocation: sourceLocation)
  #expect(run.errorLines.count == 1, "\(run.errors)", sourceLocation: sourceLocation)
  #expect(run.errors.hasPrefix("kelter: error: "), "\(run.errors)", sourceLocation: sourceLocation)
  #expect(run.output.isEmpty, "\(run.output)", sourceLocation: sourceLocation)
  for part in parts {
    #expect(run.errors.contains(part), "\(run.errors)", sourceLocation: sourceLocation)
  }
  return run
}

/// The names of what is in a folder.
func names(in folder: FilePath) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted()
}

/// Copies a fixture's folder into another one.
@discardableResult
func copyFixture(_ name: String, to folder: FilePath, as copy: String? = nil) throws -> FilePath {
  let path = folder.appending(copy ?? name)
  try FileManager.default.copyItem(
    atPath: Fixtures.path(name).string, toPath: path.string)
  return path
}
