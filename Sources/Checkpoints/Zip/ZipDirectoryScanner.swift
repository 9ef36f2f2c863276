import Bytes
import SystemPackage

/// Reads the entries of a zip archive's directory, one after the other.
struct ZipDirectoryScanner {
  /// What the directory says about an entry.
  struct Header {
    let name: String
    let nameBytes: ArraySlice<UInt8>
    let flags: UInt16
    let method: UInt16
    let checksum: UInt32
    let storedByteCount: Int
    let byteCount: Int
    /// Where the header before its data is.
    let localOffset: Int
    /// Where in the file the directory speaks of it.
    let byteOffset: Int
  }

  let directory: [UInt8]
  let directoryOffset: Int
  let path: FilePath
  private var position = 0

  init(directory: [UInt8], directoryOffset: Int, path: FilePath) {
    self.directory = directory
    self.directoryOffset = directoryOffset
    self.path = path
  }

  mutating func next() throws(CheckpointsError) -> Header? {
    if position == directory.count { return nil }
    let start = position
    let byteOffset = directoryOffset + start
    func problem(_ problem: ZipProblem) -> CheckpointsError {
      .zip(file: path, byteOffset: byteOffset, problem)
    }
    func short(_ offset: Int) -> UInt16 {
      directory.littleEndian(at: start + offset, as: UInt16.self) ?? 0
    }
    func word(_ offset: Int) -> UInt32 {
      directory.littleEndian(at: start + offset, as: UInt32.self) ?? 0
    }
    guard directory.count - start >= 46 else { throw problem(.truncatedDirectory) }
    guard word(0) == 0x0201_4B50 else { throw problem(.wrongSignature(of: "directory")) }
    let nameEnd = start + 46 + Int(short(28))
    let extraEnd = nameEnd + Int(short(30))
    let end = extraEnd + Int(short(32))
    guard end <= directory.count else { throw problem(.truncatedDirectory) }
    position = end

    let nameBytes = directory[start + 46..<nameEnd]
    guard let name = String(validating: nameBytes, as: UTF8.self), !nameBytes.contains(0) else {
      throw problem(.nameNotUTF8)
    }
    let (flags, method) = (short(8), short(10))
    // Bits 0, 6 and 13: encrypted, strongly, and with a hidden directory.
    guard flags & 0x2041 == 0 else { throw problem(.encrypted(entry: name)) }
    guard method == 0 || method == 8 else {
      throw problem(.unknownMethod(entry: name, method: Int(method)))
    }
    var sizes = [UInt64(word(24)), UInt64(word(20)), UInt64(word(42))]
    try widen(
      &sizes, extra: nameEnd..<extraEnd, problem: problem(.contradictingHeader(entry: name)))
    guard short(34) == 0 else { throw problem(.severalDisks) }
    guard let byteCount = Int(exactly: sizes[0]), let stored = Int(exactly: sizes[1]),
      let localOffset = Int(exactly: sizes[2]), localOffset <= directoryOffset,
      stored <= directoryOffset
    else { throw problem(.outside(entry: name)) }
    if method == 0, stored != byteCount {
      throw problem(.wrongStoredSize(entry: name, stored: stored, byteCount: byteCount))
    }
    // Deflate's shortest code makes 258 bytes of 2 bits.
    if method == 8, byteCount / 1032 > stored {
      throw problem(.impossibleSize(entry: name, stored: stored, byteCount: byteCount))
    }
    return Header(
      name: name, nameBytes: nameBytes, flags: flags, method: method, checksum: word(16),
      storedByteCount: stored, byteCount: byteCount, localOffset: localOffset,
      byteOffset: byteOffset)
  }

  /// Takes the sizes that do not fit into 32 bits from the 64-bit extension (header 1).
  private func widen(
    _ sizes: inout [UInt64], extra: Range<Int>, problem: CheckpointsError
  ) throws(CheckpointsError) {
    guard sizes.contains(0xFFFF_FFFF) else { return }
    var position = extra.lowerBound
    while position + 4 <= extra.upperBound {
      let identifier = directory.littleEndian(at: position, as: UInt16.self)
      let count = Int(directory.littleEndian(at: position + 2, as: UInt16.self) ?? 0)
      let end = position + 4 + count
      guard end <= extra.upperBound else { throw problem }
      if identifier == 1 {
        var field = position + 4
        for index in sizes.indices where sizes[index] == 0xFFFF_FFFF {
          guard field + 8 <= end,
            let size = directory.littleEndian(at: field, as: UInt64.self)
          else { throw problem }
          sizes[index] = size
          field += 8
        }
        return
      }
      position = end
    }
    throw problem
  }
}
