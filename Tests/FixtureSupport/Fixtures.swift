import Foundation
public import SystemPackage

/// Where the tests find what they read.
public enum Fixtures {
  /// The root of the package.
  public static let packageRoot = FilePath(#filePath).removingLastComponent()
    .removingLastComponent().removingLastComponent()

  /// The folder `fixtures` of the package.
  public static let folder = packageRoot.appending("fixtures")

  /// The folders of checkpoints with values that a reference computed.
  public static let models: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []
    return names.filter { name in
      exists(path("\(name)/meta.json"))
        && ["expected.safetensors", "expected_forward.safetensors"].contains {
          exists(path("\(name)/\($0)"))
        }
    }.sorted()
  }()

  /// A file or folder in `fixtures`.
  public static func path(_ relative: String) -> FilePath {
    folder.appending(relative.split(separator: "/").map { FilePath.Component(String($0))! })
  }
}
