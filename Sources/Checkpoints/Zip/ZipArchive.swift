import Bytes
import SystemPackage

/// The directory of a zip archive, checked in full: no two entries share a name or a byte.
///
/// Source: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.4. Read are stored and deflated entries, with
/// the 64-bit extension; not encryption, nor archives in several parts, nor bytes between the
/// directory and its end.
package struct ZipArchive: Sendable {
  /// The largest directory that is read.
  static let directoryByteLimit = 64 << 20

  let source: ByteSource
  /// In the order of their data.
  let entries: [ZipEntry]
  /// The directory as it is in the file.
  let directory: [UInt8]
  private let positions: [String: Int]

  subscript(name: String) -> ZipEntry? { positions[name].map { entries[$0] } }

  package init(source: ByteSource) throws(CheckpointsError) {
    self.source = source
    let end = try ZipDirectoryEnd(source: source)
    directory = try source.read(end.directoryRange)
    var scanner = ZipDirectoryScanner(
      directory: directory, directoryOffset: end.directoryRange.lowerBound, path: source.path)
    var headers: [ZipDirectoryScanner.Header] = []
    while let header = try scanner.next() { headers.append(header) }
    guard headers.count == end.entryCount else {
      throw .zip(
        file: source.path, byteOffset: end.directoryRange.lowerBound,
        .wrongEntryCount(stated: end.entryCount, found: headers.count))
    }
    headers.sort { $0.localOffset < $1.localOffset }
    var entries: [ZipEntry] = []
    var positions: [String: Int] = [:]
    for (index, header) in headers.enumerated() {
      let next =
        index + 1 < headers.count
        ? (headers[index + 1].localOffset, headers[index + 1].name)
        : (end.directoryRange.lowerBound, "the directory")
      let entry = try Self.entry(header, before: next, source: source)
      guard positions.updateValue(index, forKey: entry.name) == nil else {
        throw .zip(
          file: source.path, byteOffset: header.byteOffset, .duplicate(entry: entry.name))
      }
      entries.append(entry)
    }
    self.entries = entries
    self.positions = positions
  }

  /// The bytes of an entry, inflated, their checksum checked.
  /// - Parameter limit: the most bytes that are wanted in memory.
  func bytes(of entry: ZipEntry, limit: Int) throws(CheckpointsError) -> [UInt8] {
    func problem(_ problem: ZipProblem) -> CheckpointsError {
      .zip(file: source.path, byteOffset: entry.storedRange.lowerBound, problem)
    }
    guard entry.byteCount <= limit, entry.storedRange.count <= limit else {
      throw problem(.tooLarge(entry: entry.name, byteCount: entry.byteCount, limit: limit))
    }
    var bytes = try source.read(entry.storedRange)
    if entry.isDeflated {
      guard let inflated = ZipEntry.inflate(bytes, byteCount: entry.byteCount) else {
        throw problem(.damaged(entry: entry.name))
      }
      bytes = inflated
    }
    guard ZipEntry.checksum(of: bytes) == entry.checksum else {
      throw problem(.wrongChecksum(entry: entry.name))
    }
    return bytes
  }

  /// Reads the header before an entry's data, which tells where the data begins.
  private static func entry(
    _ header: ZipDirectoryScanner.Header, before next: (offset: Int, name: String),
    source: ByteSource
  ) throws(CheckpointsError) -> ZipEntry {
    func problem(_ problem: ZipProblem) -> CheckpointsError {
      .zip(file: source.path, byteOffset: header.localOffset, problem)
    }
    let nameOffset = header.localOffset + 30
    let nameEnd = nameOffset + header.nameBytes.count
    guard nameEnd <= next.offset else {
      throw problem(.overlap(entry: header.name, other: next.name))
    }
    let local = try source.read(header.localOffset..<nameEnd)
    guard local.littleEndian(at: 0, as: UInt32.self) == 0x0403_4B50 else {
      throw problem(.wrongSignature(of: "header of the entry \(header.name)"))
    }
    let flags = local.littleEndian(at: 6, as: UInt16.self) ?? 0
    let hasSizesAfterwards = flags & 8 != 0
    let storedByteCount = local.littleEndian(at: 18, as: UInt32.self) ?? 0
    let extraByteCount = Int(local.littleEndian(at: 28, as: UInt16.self) ?? 0)
    guard flags & 0x2041 == header.flags & 0x2041,
      local.littleEndian(at: 8, as: UInt16.self) == header.method,
      hasSizesAfterwards || local.littleEndian(at: 14, as: UInt32.self) == header.checksum,
      hasSizesAfterwards || storedByteCount == .max
        || Int(storedByteCount) == header.storedByteCount,
      local.littleEndian(at: 26, as: UInt16.self).map(Int.init) == header.nameBytes.count,
      local[30...].elementsEqual(header.nameBytes)
    else { throw problem(.contradictingHeader(entry: header.name)) }
    let (end, overflow) = (nameEnd + extraByteCount)
      .addingReportingOverflow(header.storedByteCount)
    guard !overflow, end <= next.offset else {
      throw problem(.overlap(entry: header.name, other: next.name))
    }
    return ZipEntry(
      name: header.name, isDeflated: header.method == 8, checksum: header.checksum,
      byteCount: header.byteCount, storedRange: nameEnd + extraByteCount..<end)
  }
}
