public import SystemPackage

/// Reads a JSON document from bytes, front to back, without building a tree of it.
///
/// Strict as RFC 8259: the whole document is checked to be UTF-8 first, nothing may follow it,
/// and nesting is limited. The caller drives: it asks for an object, an array, a string or a
/// number where it expects one, and skips what it does not know. Errors carry the offset in the
/// file.
public struct JSONScanner: ~Escapable {
  /// Objects and arrays may be nested this deep.
  public static let depthLimit = 64

  let bytes: Span<UInt8>
  let file: FilePath
  /// Where in the file the document starts; added to the offsets in errors.
  let start: Int
  var position = 0
  private var depth = 0
  /// The offset in the file of the key that `nextKey` returned last, at its quotation mark.
  public private(set) var keyByteOffset = 0

  /// Starts at the first byte.
  /// - Parameters:
  ///   - file: The file that errors name.
  ///   - byteOffset: Where in the file `bytes` starts.
  /// - Throws: if the bytes are not UTF-8.
  @_lifetime(copy bytes)
  public init(
    _ bytes: RawSpan, file: FilePath, byteOffset: Int = 0
  ) throws(JSONError) {
    self.bytes = Span(_bytes: bytes)
    self.file = file
    start = byteOffset
    do throws(UTF8.ValidationError) {
      _ = try UTF8Span(validating: self.bytes)
    } catch {
      throw JSONError(
        file: file, byteOffset: byteOffset + error.byteOffsets.lowerBound, problem: .invalidUTF8)
    }
  }

  /// The offset in the file of the next byte.
  public var byteOffset: Int { start + position }

  func error(_ problem: JSONError.Problem, at position: Int? = nil) -> JSONError {
    JSONError(file: file, byteOffset: start + (position ?? self.position), problem: problem)
  }

  /// What is wrong with the next byte where `expected` should be.
  func unexpected(_ expected: String) -> JSONError {
    position < bytes.count
      ? error(.unexpected(byte: bytes[position], expected: expected))
      : error(.endsEarly(expected: expected))
  }

  mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  /// The first byte of the next value, which tells its type, or nil at the end.
  public mutating func peek() -> UInt8? {
    skipSpace()
    return position < bytes.count ? bytes[position] : nil
  }

  /// Steps over `byte` after any space, or throws.
  mutating func take(_ byte: UInt8, _ expected: String) throws(JSONError) {
    guard peek() == byte else { throw unexpected(expected) }
    position += 1
  }

  /// Fails unless only space follows.
  public mutating func finish() throws(JSONError) {
    if peek() != nil { throw error(.trailingBytes) }
  }

  private mutating func enter(_ bracket: UInt8, _ expected: String) throws(JSONError) {
    try take(bracket, expected)
    depth += 1
    if depth > Self.depthLimit {
      throw error(.tooDeep(limit: Self.depthLimit), at: position - 1)
    }
  }

  /// Steps to the next element: past the comma, or past the closing bracket and returns false.
  private mutating func advance(
    isFirst: Bool, _ close: UInt8, _ expected: String
  ) throws(JSONError) -> Bool {
    if peek() == close {
      position += 1
      depth -= 1
      return false
    }
    if !isFirst { try take(0x2C, expected) }
    return true
  }

  /// Steps into an object; then call `nextKey` until it returns nil.
  public mutating func enterObject() throws(JSONError) {
    try enter(0x7B, "an object")
  }

  /// The next key of the object, its value being next, or nil after the last. The caller watches
  /// for repeated keys; `duplicateKey` makes the error.
  public mutating func nextKey(isFirst: Bool) throws(JSONError) -> String? {
    guard try advance(isFirst: isFirst, 0x7D, "',' or '}'") else { return nil }
    skipSpace()
    keyByteOffset = byteOffset
    let key = try string(expected: "a key in quotes")
    try take(0x3A, "':'")
    return key
  }

  /// Steps into an array; then call `nextElement` until it returns false.
  public mutating func enterArray() throws(JSONError) {
    try enter(0x5B, "an array")
  }

  /// Whether an element of the array is next; false after the last.
  public mutating func nextElement(isFirst: Bool) throws(JSONError) -> Bool {
    try advance(isFirst: isFirst, 0x5D, "',' or ']'")
  }

  /// The error of a key that came twice.
  public func duplicateKey(_ key: String, at byteOffset: Int) -> JSONError {
    JSONError(file: file, byteOffset: byteOffset, problem: .duplicateKey(key))
  }

  /// Steps over `true`, `false` or `null`.
  mutating func takeWord(_ word: String) throws(JSONError) {
    for byte in word.utf8 {
      guard position < bytes.count, bytes[position] == byte else { throw unexpected(word) }
      position += 1
    }
  }

  /// Steps over a value of any type, checking it as strictly as one that is read.
  public mutating func skipValue() throws(JSONError) {
    _ = try value()
  }
}
