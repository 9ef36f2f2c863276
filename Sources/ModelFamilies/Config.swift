import Bytes

/// Look-ups in a `config.json`: first in its `text_config`, if there is one, then in itself. Null
/// counts as absent, and a dot in a key leads into an object.
struct Config: Sendable {
  private let levels: [JSONValue]

  init(_ config: JSONValue) {
    levels = [config["text_config"], config].compactMap { $0 }
  }

  func value(_ key: String) -> JSONValue? {
    let path = key.split(separator: ".").map(String.init)
    for level in levels {
      let value = path.reduce(Optional(level)) { $0?[$1] }
      if let value, value != .null { return value }
    }
    return nil
  }

  /// The first of the keys that is there, or the first of all.
  func present(_ keys: [String]) -> String {
    keys.first { value($0) != nil } ?? keys[0]
  }

  /// Whether the value is there and neither false nor 0.
  func isSet(_ key: String) -> Bool {
    switch value(key) {
    case nil, .bool(false), .integer(0), .array([]): false
    default: true
    }
  }

  func string(_ key: String) -> String? {
    value(key)?.string
  }

  /// A whole number. A list, with an entry for each layer, counts as its entry if all are equal.
  func integer(
    _ key: String, in range: ClosedRange<Int>, default absent: Int? = nil
  ) throws(ModelFamiliesError) -> Int {
    guard let value = value(key) else {
      guard let absent else { throw .missingSetting(key: key) }
      return absent
    }
    guard let integer = value.int ?? value.uniformEntry?.int, range.contains(integer) else {
      throw .invalidSetting(
        key: key, value: value.summary,
        expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return integer
  }

  func number(
    _ key: String, in range: ClosedRange<Double>, default absent: Double? = nil
  ) throws(ModelFamiliesError) -> Double {
    guard let value = value(key) else {
      guard let absent else { throw .missingSetting(key: key) }
      return absent
    }
    guard let number = value.double, range.contains(number) else {
      throw .invalidSetting(
        key: key, value: value.summary,
        expected: "a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  func bool(_ key: String, default absent: Bool) throws(ModelFamiliesError) -> Bool {
    guard let value = value(key) else { return absent }
    guard let bool = value.bool else {
      throw .invalidSetting(key: key, value: value.summary, expected: "true or false")
    }
    return bool
  }

  /// A list of whole numbers; empty if absent.
  func integers(_ key: String, in range: ClosedRange<Int>) throws(ModelFamiliesError) -> [Int] {
    guard let value = value(key) else { return [] }
    let integers = value.array?.compactMap { $0.int.flatMap { range.contains($0) ? $0 : nil } }
    guard let integers, integers.count == value.array?.count else {
      throw .invalidSetting(
        key: key, value: value.summary,
        expected: "a list of whole numbers from \(range.lowerBound) to \(range.upperBound)")
    }
    return integers
  }
}

extension JSONValue {
  /// The entry of a list whose entries are all equal.
  var uniformEntry: JSONValue? {
    guard let entries = array, let first = entries.first else { return nil }
    return entries.allSatisfy { $0 == first } ? first : nil
  }

  /// The value in a few words, for an error message.
  var summary: String {
    switch self {
    case .null: "null"
    case .bool(let bool): "\(bool)"
    case .integer(let integer): "\(integer)"
    case .unsigned(let integer): "\(integer)"
    case .number(let number): "\(number)"
    case .string(let string): "\"\(string.prefix(60))\""
    case .array: "a list"
    case .object: "an object"
    }
  }
}
