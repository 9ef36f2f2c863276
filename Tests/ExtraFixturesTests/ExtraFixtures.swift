import Bytes
import FixtureChecks
import Foundation
import SystemPackage
import Testing

/// Fixtures that are not in the repository: `KELTER_EXTRA_FIXTURES=FOLDER swift test --filter
/// ExtraFixtures`. The subfolders of FOLDER are laid out as those of fixtures/, and quantized
/// tensors lie in `FOLDER/layouts`.
@Suite(.enabled(if: ExtraFolder.path != nil, "KELTER_EXTRA_FIXTURES names no folder"))
struct ExtraFixtures {
  @Test func thereAreSome() throws {
    // What cannot be opened says so.
    _ = try Folder.names(in: #require(ExtraFolder.path))
    #expect(ExtraFolder.models.count + ExtraFolder.layouts.count > 0)
  }

  @Test(arguments: ExtraFolder.models)
  func model(_ name: String) throws {
    let fixture = try FixtureFolder(path: #require(ExtraFolder.path).appending(name))
    #expect(ExtraFolder.findings(name, fixture.mismatches) == [])
  }

  @Test(arguments: ExtraFolder.layouts)
  func layout(_ name: String) throws {
    let path = try #require(ExtraFolder.path).appending("layouts").appending(name)
    #expect(ExtraFolder.findings(name) { try LayoutFixture(path: path).mismatches() } == [])
  }
}

/// What KELTER_EXTRA_FIXTURES names.
enum ExtraFolder {
  static let path: FilePath? = {
    let value = ProcessInfo.processInfo.environment["KELTER_EXTRA_FIXTURES"] ?? ""
    return value.isEmpty ? nil : FilePath(value)
  }()

  /// Subfolders with a config.
  static let models = names(in: path).filter { name in
    (path?.appending(name).appending("config.json")).map { kind(of: $0) == .file } ?? false
  }

  static let layouts = names(in: path?.appending("layouts")).filter {
    $0.hasSuffix(".safetensors")
  }

  /// What a check finds, each with the fixture's name; an error is a finding.
  static func findings(_ name: String, _ check: () throws -> [String]) -> [String] {
    do {
      return try check().map { "\(name): \($0)" }
    } catch {
      return ["\(name): \(error)"]
    }
  }

  private static func names(in folder: FilePath?) -> [String] {
    folder.flatMap { try? Folder.names(in: $0) } ?? []
  }

  private static func kind(of path: FilePath) -> Folder.Kind? { try? Folder.kind(of: path) }
}
