public import ModelFamilies
public import Quantization
import Validation
import Yams

/// Which tensor gets which scheme: an ordered list of rules, of which the first that matches
/// decides. A tensor that no rule matches gets the scheme of the command line if it is a routed
/// expert, a shared expert or a dense MLP, and keeps its bytes otherwise.
public struct Recipe: Sendable, Equatable {
  /// One line of a recipe.
  public struct Rule: Sendable, Equatable {
    /// What a rule matches.
    public enum Subject: Sendable, Equatable {
      /// Tensor names; `*` stands for any run of characters.
      case tensors(pattern: String)
      /// A role such as `expert.down`, or the first part of several, such as `expert`.
      case role(String)
    }

    public let subject: Subject
    public let scheme: Scheme
  }

  public let rules: [Rule]
  /// The YAML that the rules were read from.
  public let text: String
  /// The file of the YAML, for messages.
  private let file: String

  /// A recipe without rules.
  public static let empty = Recipe(rules: [], text: "", file: "")

  private init(rules: [Rule], text: String, file: String) {
    self.rules = rules
    self.text = text
    self.file = file
  }

  /// The scheme that the first matching rule names, or nil.
  /// - Parameter isMatrix: whether the tensor has rows and columns. A role stands for its matrices:
  ///   the biases and norms beside them keep their bytes.
  public func scheme(tensor name: String, role: TensorRole, isMatrix: Bool) -> Scheme? {
    rules.first { $0.subject.matches(tensor: name, role: role, isMatrix: isMatrix) }?.scheme
  }

  /// Finds a pattern that means no tensor, most likely mistyped. A role that a model does not have
  /// is fine: recipes serve several models.
  /// - Throws: `ConversionError.invalidRecipe`.
  func check(tensors names: [String]) throws(ConversionError) {
    for (index, rule) in rules.enumerated() {
      guard case .tensors(let pattern) = rule.subject,
        !names.contains(where: { Self.matches($0, pattern: pattern) })
      else { continue }
      throw .invalidRecipe(
        file: file, reason: "rule \(index + 1): no tensor matches '\(pattern)'")
    }
  }

  /// Whether a name matches a pattern in which `*` stands for any run of characters.
  static func matches(_ name: String, pattern: String) -> Bool {
    let name = Array(name.utf8)
    let pattern = Array(pattern.utf8)
    var (n, p) = (0, 0)
    // Where to go on after the last star: one more character of the name belongs to it.
    var retry: (n: Int, p: Int)?
    while n < name.count {
      if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
        p += 1
        retry = (n, p)
      } else if p < pattern.count, pattern[p] == name[n] {
        (n, p) = (n + 1, p + 1)
      } else if let last = retry {
        retry = (last.n + 1, last.p)
        (n, p) = (last.n + 1, last.p)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}

extension Recipe {
  /// Reads a recipe:
  ///
  ///     rules:
  ///       - {tensors: "*.layers.3.mlp.experts.*", scheme: fp8-e4m3-b128}
  ///       - {role: expert.down, scheme: int4-g32}
  ///
  /// - Throws: `ConversionError.invalidRecipe`, also for words that mean nothing here.
  public init(yaml: String, file: String) throws(ConversionError) {
    func invalid(_ reason: String) -> ConversionError { .invalidRecipe(file: file, reason: reason) }
    let root: Node?
    do {
      root = try YAMLDocument(yaml).root
    } catch {
      throw invalid(error.reason)
    }
    guard let mapping = root?.mapping, mapping.count == 1, let list = mapping["rules"]?.sequence
    else { throw invalid("it is no mapping with the one key 'rules' and a list") }

    var rules: [Rule] = []
    for (index, node) in list.enumerated() {
      let place = "rule \(index + 1)"
      guard let entry = node.mapping else { throw invalid("\(place) is no mapping") }
      var subject: Rule.Subject?
      var scheme: Scheme?
      for (key, value) in entry {
        guard let text = value.string else { throw invalid("\(place): a value is no text") }
        switch key.string {
        case "tensors" where subject == nil: subject = .tensors(pattern: text)
        case "role" where subject == nil:
          guard
            TensorRole.allCases.contains(where: {
              $0.rawValue == text || $0.rawValue.hasPrefix(text + ".")
            })
          else {
            throw invalid(
              "\(place): no role '\(text)'; roles are "
                + TensorRole.allCases.map(\.rawValue).joined(separator: ", "))
          }
          subject = .role(text)
        case "scheme":
          guard let named = Scheme(rawValue: text) else {
            throw invalid("\(place): no scheme '\(text)'; schemes are \(Scheme.listing)")
          }
          scheme = named
        default:
          throw invalid(
            "\(place): '\(key.string ?? "?")' is not expected;"
              + " a rule has 'tensors' or 'role', and 'scheme'")
        }
      }
      guard let subject, let scheme else {
        throw invalid("\(place) needs 'tensors' or 'role', and 'scheme'")
      }
      rules.append(Rule(subject: subject, scheme: scheme))
    }
    self.init(rules: rules, text: yaml, file: file)
  }
}

extension Recipe.Rule.Subject {
  fileprivate func matches(tensor name: String, role: TensorRole, isMatrix: Bool) -> Bool {
    switch self {
    case .tensors(let pattern): Recipe.matches(name, pattern: pattern)
    case .role(let name):
      isMatrix && (role.rawValue == name || role.rawValue.hasPrefix(name + "."))
    }
  }
}

extension Scheme {
  /// All schemes by name, for messages.
  public static var listing: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
