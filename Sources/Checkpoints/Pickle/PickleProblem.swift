/// What is wrong with a pickle, or what it asks for that is not done.
public enum PickleProblem: Sendable, Hashable, CustomStringConvertible {
  /// It ends within an opcode.
  case truncated
  case unsupportedProtocol(Int)
  /// An opcode that a file of weights has no use for.
  case refusedOpcode(String)
  /// A class or function that is not on the list.
  case refusedGlobal(opcode: String, name: String)
  /// A call, or a state set, that is not on the list.
  case refusedCall(opcode: String, of: String)
  /// The opcode's operands are not what it needs.
  case wrongOperand(opcode: String, expected: String)
  case emptyStack(opcode: String)
  case noMark(opcode: String)
  case unknownMemo(Int)
  case notUTF8(opcode: String)
  case integerTooLong(byteCount: Int)
  case tooMany(String, limit: Int)
  case tooLong(byteCount: Int, limit: Int)

  public var description: String {
    switch self {
    case .truncated: "the pickle ends here; the file is truncated: fetch it again"
    case .unsupportedProtocol(let version): "pickle protocol \(version) is not read (2 to 5 are)"
    case .refusedOpcode(let opcode): "the pickle has opcode \(opcode), which weights do not need"
    case .refusedGlobal(let opcode, let name):
      "opcode \(opcode) asks for \(name), which is not among the names that weights need; "
        + "nothing was run"
    case .refusedCall(let opcode, let callee): "opcode \(opcode) is not allowed on \(callee)"
    case .wrongOperand(let opcode, let expected): "opcode \(opcode) needs \(expected)"
    case .emptyStack(let opcode): "opcode \(opcode) finds nothing on the stack"
    case .noMark(let opcode): "opcode \(opcode) finds no mark"
    case .unknownMemo(let index): "memo \(index) was never set"
    case .notUTF8(let opcode): "the text of opcode \(opcode) is not UTF-8"
    case .integerTooLong(let byteCount): "a whole number of \(byteCount) bytes"
    case .tooMany(let things, let limit): "the pickle has more than \(limit) \(things)"
    case .tooLong(let byteCount, let limit):
      "the pickle has \(byteCount) bytes and at most \(limit) are allowed"
    }
  }
}
