public import Bytes
public import SystemPackage

/// Why a file is not the GGUF that it should be.
public struct GGUFError: KelterError {
  public let file: FilePath
  /// Where the file goes wrong.
  public let byteOffset: Int
  public let problem: Problem

  public enum Problem: Sendable, Hashable {
    case wrongMagic
    case bigEndian
    case unknownVersion(UInt32)
    case truncated(what: String)
    case headerTooLong(limit: Int)
    /// A count of things that cannot all be in what is left of the file.
    case tooMany(what: String, count: UInt64, remainingByteCount: Int)
    case emptyName(what: String)
    case nameNotUTF8(what: String)
    case duplicateKey(String)
    case unknownValueType(key: String, type: UInt32)
    case nestedTooDeep(key: String, limit: Int)
    case notABool(key: String, byte: UInt8)
    case unsuitableAlignment(JSONValue)

    case duplicateTensor(String)
    case tooManyDimensions(tensor: String, count: UInt32)
    case shapeTooLarge(tensor: String)
    case unsupportedType(tensor: String, type: String)
    case partialBlock(tensor: String, type: String, columns: Int, elementsPerBlock: Int)
    case unalignedOffset(tensor: String, offset: UInt64, alignment: Int)
    case pastEnd(tensor: String, end: Int, fileByteCount: Int)
    case overlap(tensor: String, other: String)
    case hole(byteCount: Int)

    /// A part that is not the one which its name, or the first part, says.
    case wrongPart(reason: String)
  }

  package init(file: FilePath, byteOffset: Int, problem: Problem) {
    self.file = file
    self.byteOffset = byteOffset
    self.problem = problem
  }

  public var kind: FailureKind { .invalidInput }

  public var description: String { "\(file): byte \(byteOffset): \(problem.text)" }
}

extension GGUFError.Problem {
  fileprivate var text: String {
    switch self {
    case .wrongMagic: "a GGUF file must begin with \"GGUF\"; it is another kind of file or damaged"
    case .bigEndian:
      "the file is big-endian GGUF, which is not read; convert it with gguf_convert_endian.py"
    case .unknownVersion(let version):
      "GGUF version \(version) is not read (2 and 3 are); convert the model again with a present "
        + "llama.cpp"
    case .truncated(let what): "the file ends within \(what); it is truncated: fetch it again"
    case .headerTooLong(let limit): "the header is longer than \(limit) bytes, which is not read"
    case .tooMany(let what, let count, let remaining):
      "\(count) \(what) cannot be in the \(remaining) bytes that are left; the file is damaged"
    case .emptyName(let what): "the name of \(what) is empty"
    case .nameNotUTF8(let what): "the name of \(what) is not UTF-8"
    case .duplicateKey(let key): "the metadata has \(key) twice"
    case .unknownValueType(let key, let type): "the value of \(key) is of the unknown type \(type)"
    case .nestedTooDeep(let key, let limit):
      "the arrays of \(key) are nested deeper than \(limit) levels"
    case .notABool(let key, let byte):
      "the value of \(key) is \(byte), where 0 or 1 is a truth value"
    case .unsuitableAlignment(let value):
      "general.alignment is \(value.shown), where a power of two up to 1 MiB is known"
    case .duplicateTensor(let tensor): "tensor \(tensor) is there twice"
    case .tooManyDimensions(let tensor, let count):
      "tensor \(tensor) has \(count) dimensions, and at most 4 are allowed"
    case .shapeTooLarge(let tensor): "the shape of tensor \(tensor) overflows 64 bits"
    case .unsupportedType(let tensor, let type):
      "tensor \(tensor) is of type \(type), which is not read"
    case .partialBlock(let tensor, let type, let columns, let elementsPerBlock):
      "the rows of tensor \(tensor) have \(columns) elements, which are no whole blocks of "
        + "\(elementsPerBlock) of type \(type)"
    case .unalignedOffset(let tensor, let offset, let alignment):
      "tensor \(tensor) begins at byte \(offset) of the data, which is no multiple of \(alignment)"
    case .pastEnd(let tensor, let end, let fileByteCount):
      "tensor \(tensor) ends at byte \(end) of the file, which has \(fileByteCount); it is "
        + "truncated: fetch it again"
    case .overlap(let tensor, let other): "tensor \(tensor) overlaps tensor \(other)"
    case .hole(let byteCount): "\(byteCount) bytes belong to no tensor"
    case .wrongPart(let reason): reason
    }
  }
}

extension JSONValue {
  fileprivate var shown: String {
    switch self {
    case .integer(let value): "\(value)"
    case .unsigned(let value): "\(value)"
    case .string(let value): "\"\(value)\""
    default: "no whole number"
    }
  }
}
