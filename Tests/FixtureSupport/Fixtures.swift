public import SystemPackage

/// Where the tests find what they read.
public enum Fixtures {
  /// The root of the package.
  public static let packageRoot = FilePath(#filePath).removingLastComponent()
    .removingLastComponent().removingLastComponent()

  /// The folder `fixtures` of the package.
  public static let folder = packageRoot.appending("fixtures")

  /// A file or folder in `fixtures`.
  public static func path(_ relative: String) -> FilePath {
    folder.appending(relative.split(separator: "/").map { FilePath.Component(String($0))! })
  }
}
