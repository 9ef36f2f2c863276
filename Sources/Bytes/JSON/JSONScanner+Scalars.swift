extension JSONScanner {
  /// Reads a string.
  public mutating func string(expected: String = "a string") throws(JSONError) -> String {
    try take(0x22, expected)
    let first = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == 0x22 {
        let text = copy(first..<position)
        position += 1
        return text
      }
      if byte == 0x5C { return try escapedString(from: first) }
      if byte < 0x20 { throw error(.controlCharacter(byte)) }
      position += 1
    }
    throw error(.endsEarly(expected: "the end of a string"))
  }

  /// The text of a range that begins and ends at whole characters. Quotes and backslashes are
  /// ASCII, so what lies between two of them is UTF-8 if the whole document is.
  private func copy(_ range: Range<Int>) -> String {
    String(copying: unsafe UTF8Span(unchecked: bytes.extracting(range)))
  }

  /// Goes on with a string from its first backslash, at `position`.
  private mutating func escapedString(from first: Int) throws(JSONError) -> String {
    var text = copy(first..<position)
    while position < bytes.count {
      let byte = bytes[position]
      if byte == 0x22 {
        position += 1
        return text
      }
      if byte < 0x20 { throw error(.controlCharacter(byte)) }
      if byte == 0x5C {
        text.unicodeScalars.append(try escape())
        continue
      }
      let run = position
      while position < bytes.count, bytes[position] >= 0x20, bytes[position] != 0x22,
        bytes[position] != 0x5C
      {
        position += 1
      }
      text += copy(run..<position)
    }
    throw error(.endsEarly(expected: "the end of a string"))
  }

  /// Reads an escape, which starts at `position`.
  private mutating func escape() throws(JSONError) -> Unicode.Scalar {
    let first = position
    position += 1
    guard position < bytes.count else { throw error(.endsEarly(expected: "an escape")) }
    position += 1
    switch bytes[position - 1] {
    case 0x22: return "\""
    case 0x5C: return "\\"
    case 0x2F: return "/"
    case 0x62: return "\u{8}"
    case 0x66: return "\u{C}"
    case 0x6E: return "\n"
    case 0x72: return "\r"
    case 0x74: return "\t"
    case 0x75: break
    default: throw error(.invalidEscape, at: first)
    }
    let unit = try hexadecimal()
    if let scalar = Unicode.Scalar(unit) { return scalar }
    // A high surrogate needs a low one after it.
    guard unit < 0xDC00, position + 1 < bytes.count, bytes[position] == 0x5C,
      bytes[position + 1] == 0x75
    else { throw error(.loneSurrogate, at: first) }
    position += 2
    let low = try hexadecimal()
    guard (0xDC00..<0xE000).contains(low),
      let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
    else { throw error(.loneSurrogate, at: first) }
    return scalar
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count else { throw error(.endsEarly(expected: "4 hex digits")) }
      switch bytes[position] {
      case let byte where byte >= 0x30 && byte <= 0x39: unit = unit << 4 | UInt32(byte - 0x30)
      case let byte where byte >= 0x41 && byte <= 0x46: unit = unit << 4 | UInt32(byte - 0x37)
      case let byte where byte >= 0x61 && byte <= 0x66: unit = unit << 4 | UInt32(byte - 0x57)
      default: throw error(.invalidEscape)
      }
      position += 1
    }
    return unit
  }

  /// Reads a number that must be a whole one in the range of `Int`, without fraction or exponent.
  public mutating func integer(expected: String = "a whole number") throws(JSONError) -> Int {
    guard let next = peek(), next == 0x2D || (next >= 0x30 && next <= 0x39) else {
      throw unexpected(expected)
    }
    let first = position
    guard case .integer(let integer) = try number() else {
      throw error(.unexpected(byte: bytes[first], expected: expected), at: first)
    }
    return integer
  }

  /// Whether a digit is next; steps over all that follow.
  private mutating func takeDigits() -> Bool {
    let first = position
    while position < bytes.count, bytes[position] >= 0x30, bytes[position] <= 0x39 {
      position += 1
    }
    return position > first
  }

  /// Reads a number: exactly where it is whole and fits into 64 bits, else as a Double.
  mutating func number() throws(JSONError) -> JSONValue {
    let first = position
    if bytes[position] == 0x2D { position += 1 }
    let digits = position
    guard takeDigits(), position == digits + 1 || bytes[digits] != 0x30 else {
      throw error(.invalidNumber, at: first)
    }
    var isWhole = true
    if position < bytes.count, bytes[position] == 0x2E {
      isWhole = false
      position += 1
      guard takeDigits() else { throw error(.invalidNumber, at: first) }
    }
    if position < bytes.count, bytes[position] | 0x20 == 0x65 {
      isWhole = false
      position += 1
      if position < bytes.count, bytes[position] == 0x2B || bytes[position] == 0x2D {
        position += 1
      }
      guard takeDigits() else { throw error(.invalidNumber, at: first) }
    }
    if isWhole, let value = wholeNumber(first..<position) { return value }
    guard let double = Double(copy(first..<position)) else {
      throw error(.invalidNumber, at: first)
    }
    guard double.isFinite else { throw error(.numberOutOfRange, at: first) }
    return .number(double)
  }

  /// The value of digits with an optional minus sign before them, or nil if 64 bits do not hold it.
  private func wholeNumber(_ range: Range<Int>) -> JSONValue? {
    let isNegative = bytes[range.lowerBound] == 0x2D
    var magnitude: UInt64 = 0
    for index in range.dropFirst(isNegative ? 1 : 0) {
      let (shifted, overflow) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, carry) = shifted.addingReportingOverflow(UInt64(bytes[index] - 0x30))
      if overflow || carry { return nil }
      magnitude = sum
    }
    if isNegative {
      guard magnitude <= UInt64(1) << 63 else { return nil }
      return .integer(Int(truncatingIfNeeded: 0 &- magnitude))
    }
    return Int(exactly: magnitude).map { .integer($0) } ?? .unsigned(magnitude)
  }
}
