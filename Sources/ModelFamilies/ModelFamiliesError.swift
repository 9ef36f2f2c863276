public import Bytes
public import Tensors

/// Why a checkpoint's model is not understood.
public enum ModelFamiliesError: KelterError, Hashable {
  /// There is no `config.json`.
  case configMissing
  case unknownArchitecture(modelType: String?, architectures: [String], known: [String])
  /// A family that was asked for by name.
  case unknownFamily(name: String, known: [String])
  case missingSetting(key: String)
  case invalidSetting(key: String, value: String, expected: String)
  /// A tensor that the family does not have.
  case unknownTensor(name: String, family: String)
  /// A tensor of the family, in a place where the config has none. `keys` decide about the place.
  case misplacedTensor(name: String, place: String, keys: [String])
  case missingTensor(name: String, family: String)
  case shapeMismatch(tensor: String, shape: Shape, expected: [Int], keys: [String])

  public var kind: FailureKind {
    switch self {
    case .unknownFamily: .usage
    default: .invalidInput
    }
  }

  public var description: String {
    switch self {
    case .configMissing:
      "there is no config.json, which says what model this is; put it beside the weights, or take"
        + " --family generic, which measures no layers"
    case .unknownArchitecture(let modelType, let architectures, let known):
      "config.json: unknown architecture: model_type \(modelType.map { "'\($0)'" } ?? "absent")"
        + (architectures.isEmpty ? "" : " (\(architectures.joined(separator: ", ")))")
        + "; known are \(known.joined(separator: ", ")); --family NAME takes it for one of these, "
        + "--family generic converts it without measuring layers"
    case .unknownFamily(let name, let known):
      "unknown family '\(name)'; known are \(known.joined(separator: ", "))"
    case .missingSetting(let key):
      "config.json lacks '\(key)'; take the config.json that was released with the weights"
    case .invalidSetting(let key, let value, let expected):
      "config.json: '\(key)' is \(value), but \(expected) is needed"
    case .unknownTensor(let name, let family):
      "tensor '\(name)': \(family) has no such tensor; "
        + "is config.json that of these weights? --family NAME takes it for another family"
    case .misplacedTensor(let name, let place, let keys):
      "tensor '\(name)' \(place)\(Self.source(keys)); is config.json that of these weights?"
    case .missingTensor(let name, let family):
      "tensor '\(name)' is missing, which \(family) has by config.json; "
        + "is the download complete?"
    case .shapeMismatch(let tensor, let shape, let expected, let keys):
      "tensor '\(tensor)' has the shape \(shape), but config.json says "
        + "[\(expected.map(String.init).joined(separator: ", "))]\(Self.source(keys))"
    }
  }

  private static func source(_ keys: [String]) -> String {
    keys.isEmpty ? "" : " (\(keys.map { "'\($0)'" }.joined(separator: ", ")))"
  }
}
