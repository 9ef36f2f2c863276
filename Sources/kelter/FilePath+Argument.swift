public import ArgumentParser
public import SystemPackage

/// Arguments that are paths; shells complete them as such.
extension FilePath: @retroactive ExpressibleByArgument {
  public init?(argument: String) {
    self.init(argument)
  }

  public static var defaultCompletionKind: CompletionKind { .file() }
}
