public import ArgumentParser
public import SystemPackage

/// Arguments that are paths; shells complete them as such.
extension FilePath: @retroactive ExpressibleByArgument {
  public init?(argument: String) {
    // It would name the present folder.
    if argument.isEmpty { return nil }
    self.init(argument)
  }

  public static var defaultCompletionKind: CompletionKind { .file() }
}
