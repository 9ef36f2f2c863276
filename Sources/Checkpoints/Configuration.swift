public import Bytes

extension JSONValue {
  /// This configuration with the members of its `text_config` before its own: the language model
  /// of a multimodal configuration. Without a `text_config`, it is the configuration itself.
  public var textConfig: JSONValue {
    guard case .object(let root) = self, case .object(let text)? = root["text_config"] else {
      return self
    }
    return .object(root.merging(text) { _, nested in nested })
  }
}
