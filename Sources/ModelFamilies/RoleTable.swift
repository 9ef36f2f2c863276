/// Finds the rule of a tensor by its name, in time that does not depend on the number of rules.
///
/// Each component of a name that is a number is replaced by `{}`; what remains is looked up whole,
/// then among the few rules that end in `*`.
struct RoleTable: Sendable {
  struct Match {
    /// The index of the rule.
    let rule: Int
    let layer: Int?
    let expert: Int?
  }

  private var rules: [String: Int] = [:]
  private var prefixes: [(prefix: String, rule: Int)] = []
  private let scopes: [TensorRule.Scope]

  init(rules: [TensorRule], layerPrefix: String) {
    scopes = rules.map(\.scope)
    for (index, rule) in rules.enumerated() {
      let name = rule.scope == .model ? rule.name : layerPrefix + rule.name
      if name.hasSuffix("*") {
        prefixes.append((String(name.dropLast()), index))
      } else {
        self.rules[name] = index
      }
    }
  }

  func match(_ name: String) -> Match? {
    guard let pattern = NamePattern(name) else { return nil }
    guard
      let rule = rules[pattern.text]
        ?? prefixes.first(where: { pattern.text.utf8.starts(with: $0.prefix.utf8) })?.rule
    else { return nil }
    guard scopes[rule] != .model else { return Match(rule: rule, layer: nil, expert: nil) }
    return Match(rule: rule, layer: pattern.firstNumber, expert: pattern.secondNumber)
  }
}

/// A tensor's name with its numbers taken out.
struct NamePattern {
  /// The name with each component that is a number replaced by `{}`.
  private(set) var text: String
  private(set) var firstNumber: Int?
  private(set) var secondNumber: Int?

  /// Nil if a number has a leading zero, so that no two names mean the same tensor, or ten digits
  /// or more, or if the name has a brace.
  init?(_ name: String) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(name.utf8.count)
    var componentStart = 0
    // The value of the component so far; nil once it is no number.
    var number: Int? = 0
    var numbers: (Int?, Int?) = (nil, nil)

    func closeComponent() -> Bool {
      guard let value = number, bytes.count > componentStart else { return true }
      let digitCount = bytes.count - componentStart
      guard digitCount == 1 || bytes[componentStart] != UInt8(ascii: "0"), digitCount < 10 else {
        return false
      }
      bytes.removeLast(digitCount)
      bytes.append(UInt8(ascii: "{"))
      bytes.append(UInt8(ascii: "}"))
      if numbers.0 == nil { numbers.0 = value } else if numbers.1 == nil { numbers.1 = value }
      return true
    }

    for byte in name.utf8 {
      if byte == UInt8(ascii: ".") {
        guard closeComponent() else { return nil }
        bytes.append(byte)
        componentStart = bytes.count
        number = 0
        continue
      }
      // A brace would stand for a number that is not there.
      guard byte != UInt8(ascii: "{") else { return nil }
      bytes.append(byte)
      if let value = number {
        let digit = Int(byte) - 0x30
        // A number that overflows is too long and refused above.
        number = (0...9).contains(digit) ? (value &* 10 &+ digit) : nil
      }
    }
    guard closeComponent() else { return nil }
    self.text = String(decoding: bytes, as: UTF8.self)
    self.firstNumber = numbers.0
    self.secondNumber = numbers.1
  }
}
