extension JSONValue {
  /// The value of a key; nil if there is none or this is no object.
  public subscript(key: String) -> JSONValue? {
    if case .object(let members) = self { members[key] } else { nil }
  }

  /// The element at an index; nil if there is none or this is no array.
  public subscript(index: Int) -> JSONValue? {
    if case .array(let elements) = self, elements.indices.contains(index) {
      elements[index]
    } else {
      nil
    }
  }

  public var isNull: Bool { self == .null }

  public var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// A whole number, also one written with a fraction of zero or an exponent (`1e6`), as long as
  /// no digit is lost: up to 2^53.
  public var int: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): value.magnitude <= 0x1p53 ? Int(exactly: value) : nil
    default: nil
    }
  }

  /// A number; nil for a whole one that no Double equals.
  public var double: Double? {
    switch self {
    case .integer(let value): Double(exactly: value)
    case .unsigned(let value): Double(exactly: value)
    case .number(let value): value
    default: nil
    }
  }

  public var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  public var array: [JSONValue]? {
    if case .array(let value) = self { value } else { nil }
  }

  public var object: [String: JSONValue]? {
    if case .object(let value) = self { value } else { nil }
  }
}
