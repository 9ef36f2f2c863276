/// What is wrong with a zip archive. Sizes and offsets in bytes.
public enum ZipProblem: Sendable, Hashable, CustomStringConvertible {
  /// No end of central directory: this is no zip file, or its end is missing.
  case noDirectory
  case severalDisks
  /// The end of the directory and its 64-bit form differ.
  case contradictingEnds
  case directoryOutside(byteCount: UInt64)
  case directoryTooLarge(byteCount: Int, limit: Int)
  case wrongSignature(of: String)
  case truncatedDirectory
  case wrongEntryCount(stated: UInt64, found: Int)
  case nameNotUTF8
  case duplicate(entry: String)
  case encrypted(entry: String)
  case unknownMethod(entry: String, method: Int)
  /// The entry's own header does not say what the directory says.
  case contradictingHeader(entry: String)
  case outside(entry: String)
  case overlap(entry: String, other: String)
  case wrongStoredSize(entry: String, stored: Int, byteCount: Int)
  /// More than deflate can put into as many bytes.
  case impossibleSize(entry: String, stored: Int, byteCount: Int)
  case tooLarge(entry: String, byteCount: Int, limit: Int)
  case damaged(entry: String)
  case wrongChecksum(entry: String)

  public var description: String {
    switch self {
    case .noDirectory: "the end of a zip file is not there; it is truncated: fetch it again"
    case .severalDisks: "the zip file is in several parts"
    case .contradictingEnds: "the zip file's two ends of its directory contradict each other"
    case .directoryOutside(let byteCount):
      "the zip file's directory of \(byteCount) bytes is not where its end says"
    case .directoryTooLarge(let byteCount, let limit):
      "the zip file's directory has \(byteCount) bytes and at most \(limit) are allowed"
    case .wrongSignature(let part): "here should be the \(part) of a zip file"
    case .truncatedDirectory: "the zip file's directory ends within an entry"
    case .wrongEntryCount(let stated, let found):
      "the zip file's directory has \(found) entries and its end states \(stated)"
    case .nameNotUTF8: "the name of a zip entry is not UTF-8"
    case .duplicate(let entry): "the zip entry \(entry) is there twice"
    case .encrypted(let entry): "the zip entry \(entry) is encrypted"
    case .unknownMethod(let entry, let method):
      "the zip entry \(entry) has compression method \(method); only stored and deflated are read"
    case .contradictingHeader(let entry):
      "the zip entry \(entry) and the directory contradict each other"
    case .outside(let entry): "the zip entry \(entry) is not inside the file"
    case .overlap(let entry, let other): "the zip entry \(entry) overlaps \(other)"
    case .wrongStoredSize(let entry, let stored, let byteCount):
      "the zip entry \(entry) is not compressed, yet has \(stored) bytes for \(byteCount)"
    case .impossibleSize(let entry, let stored, let byteCount):
      "the zip entry \(entry) claims \(byteCount) bytes, which \(stored) deflated ones cannot hold"
    case .tooLarge(let entry, let byteCount, let limit):
      "the zip entry \(entry) has \(byteCount) bytes and at most \(limit) are allowed here"
    case .damaged(let entry): "the zip entry \(entry) is damaged; fetch the file again"
    case .wrongChecksum(let entry):
      "the checksum of the zip entry \(entry) is wrong; fetch the file again"
    }
  }
}
