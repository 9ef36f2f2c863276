public import SystemPackage

/// A document that is not JSON as RFC 8259 defines it, or that repeats a key.
public struct JSONError: KelterError, Hashable {
  /// What is wrong.
  public enum Problem: Sendable, Hashable {
    case invalidUTF8
    /// The document ends where more is needed.
    case endsEarly(expected: String)
    case unexpected(byte: UInt8, expected: String)
    case controlCharacter(UInt8)
    case invalidEscape
    /// Half of a UTF-16 surrogate pair.
    case loneSurrogate
    case invalidNumber
    case numberOutOfRange
    case duplicateKey(String)
    case tooDeep(limit: Int)
    case trailingBytes
  }

  /// The file that holds the document.
  public let file: FilePath
  /// Where in the file, counted from its start.
  public let byteOffset: Int
  public let problem: Problem

  public init(file: FilePath, byteOffset: Int, problem: Problem) {
    self.file = file
    self.byteOffset = byteOffset
    self.problem = problem
  }

  public var kind: FailureKind { .invalidInput }

  public var description: String { "\(file): byte \(byteOffset): \(problem)" }
}

extension JSONError.Problem: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidUTF8: "the JSON is not valid UTF-8"
    case .endsEarly(let expected): "the JSON ends where \(expected) is expected"
    case .unexpected(let byte, let expected): "\(Self.name(byte)) where \(expected) is expected"
    case .controlCharacter(let byte): "\(Self.name(byte)) inside a JSON string"
    case .invalidEscape: "an escape that JSON does not know"
    case .loneSurrogate: "half of a surrogate pair in a JSON string"
    case .invalidNumber: "a malformed number"
    case .numberOutOfRange: "a number beyond the range of a Double"
    case .duplicateKey(let key): "the key \"\(key)\" appears twice in one object"
    case .tooDeep(let limit): "more than \(limit) nested objects and arrays"
    case .trailingBytes: "more follows after the end of the JSON"
    }
  }

  private static func name(_ byte: UInt8) -> String {
    let hex = String(byte, radix: 16)
    return byte > 0x20 && byte < 0x7F
      ? "'\(Character(Unicode.Scalar(byte)))'" : "byte 0x\(hex.count == 1 ? "0" : "")\(hex)"
  }
}
