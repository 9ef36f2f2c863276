import Bytes
import SystemPackage

/// Reads the header of a GGUF file from its beginning on; every number is little-endian.
struct GGUFCursor: ~Escapable {
  /// What a parser was cut off by: bytes that are in the file and were not handed to it, or what is
  /// wrong with the file.
  enum Stop: Error {
    case needsMore
    case unsound(GGUFError)
  }

  private let bytes: RawSpan
  private let path: FilePath
  /// The size of the whole file.
  let fileByteCount: Int
  private(set) var byteOffset = 0

  /// - Parameter bytes: the beginning of the file, or all of it.
  @_lifetime(copy bytes)
  init(_ bytes: RawSpan, path: FilePath, fileByteCount: Int) {
    self.bytes = bytes
    self.path = path
    self.fileByteCount = fileByteCount
  }

  /// How much of the file follows.
  var remainingByteCount: Int { fileByteCount - byteOffset }

  func error(_ problem: GGUFError.Problem, at byteOffset: Int) -> Stop {
    .unsound(GGUFError(file: path, byteOffset: byteOffset, problem: problem))
  }

  /// Passes bytes.
  @_lifetime(self: copy self)
  mutating func skip(_ count: Int, in what: @autoclosure () -> String) throws(Stop) {
    guard count <= remainingByteCount else {
      throw error(.truncated(what: what()), at: byteOffset)
    }
    guard count <= bytes.byteCount - byteOffset else { throw .needsMore }
    byteOffset += count
  }

  @_lifetime(self: copy self)
  mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
    as type: T.Type = T.self, in what: @autoclosure () -> String
  ) throws(Stop) -> T {
    let start = byteOffset
    try skip(MemoryLayout<T>.size, in: what())
    // `skip` has seen that it is there.
    return bytes.littleEndian(at: start, as: type) ?? 0
  }

  /// Reads how many things follow, each of which takes at least so many bytes.
  @_lifetime(self: copy self)
  mutating func count(
    of what: @autoclosure () -> String, minimumByteCount: Int
  ) throws(Stop) -> Int {
    let start = byteOffset
    let count = try integer(as: UInt64.self, in: what())
    guard count <= UInt64(remainingByteCount / minimumByteCount) else {
      throw error(
        .tooMany(what: what(), count: count, remainingByteCount: remainingByteCount), at: start)
    }
    return Int(count)
  }

  /// Passes a string and tells where its bytes lie.
  @_lifetime(self: copy self)
  mutating func stringRange(in what: @autoclosure () -> String) throws(Stop) -> Range<Int> {
    let count = try count(of: "bytes of \(what())", minimumByteCount: 1)
    let start = byteOffset
    try skip(count, in: what())
    return start..<byteOffset
  }

  /// Reads text; bytes that are no UTF-8 are replaced.
  @_lifetime(self: copy self)
  mutating func text(in what: @autoclosure () -> String) throws(Stop) -> String {
    let range = try stringRange(in: what())
    return String(decoding: copy(range), as: UTF8.self)
  }

  /// Reads a name, which must be UTF-8 and not empty.
  @_lifetime(self: copy self)
  mutating func name(of what: @autoclosure () -> String) throws(Stop) -> String {
    let start = byteOffset
    let range = try stringRange(in: "the name of \(what())")
    guard !range.isEmpty else { throw error(.emptyName(what: what()), at: start) }
    guard let name = String(validating: copy(range), as: UTF8.self) else {
      throw error(.nameNotUTF8(what: what()), at: range.lowerBound)
    }
    return name
  }

  private func copy(_ range: Range<Int>) -> [UInt8] {
    range.map { bytes.littleEndian(at: $0, as: UInt8.self) ?? 0 }
  }
}
