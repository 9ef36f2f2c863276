public import SystemPackage

/// A JSON value. The order of an object's keys is not kept.
public enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  /// A number written without fraction or exponent that fits into `Int`.
  case integer(Int)
  /// One above `Int.max` that fits into 64 bits.
  case unsigned(UInt64)
  /// Any other number.
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// Parses a whole document: RFC 8259, repeated keys refused.
  /// - Parameter file: The file that errors name.
  public init(parsing bytes: RawSpan, file: FilePath) throws(JSONError) {
    var scanner = try JSONScanner(bytes, file: file)
    self = try scanner.value()
    try scanner.finish()
  }

  /// Parses a whole document: RFC 8259, repeated keys refused.
  public init(parsing bytes: [UInt8], file: FilePath) throws(JSONError) {
    try self.init(parsing: bytes.rawSpan, file: file)
  }
}

extension JSONScanner {
  /// Reads a value of any type.
  public mutating func value() throws(JSONError) -> JSONValue {
    switch peek() {
    case 0x7B: return .object(try object())
    case 0x5B: return .array(try array())
    case 0x22: return .string(try string())
    case 0x2D, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39: return try number()
    case 0x74:
      try takeWord("true")
      return .bool(true)
    case 0x66:
      try takeWord("false")
      return .bool(false)
    case 0x6E:
      try takeWord("null")
      return .null
    default: throw unexpected("a JSON value")
    }
  }

  private mutating func object() throws(JSONError) -> [String: JSONValue] {
    var members: [String: JSONValue] = [:]
    try enterObject()
    while true {
      guard let key = try nextKey(isFirst: members.isEmpty) else { return members }
      let keyByteOffset = keyByteOffset
      let value = try value()
      if members.updateValue(value, forKey: key) != nil {
        throw duplicateKey(key, at: keyByteOffset)
      }
    }
  }

  private mutating func array() throws(JSONError) -> [JSONValue] {
    var elements: [JSONValue] = []
    try enterArray()
    while try nextElement(isFirst: elements.isEmpty) { elements.append(try value()) }
    return elements
  }
}
