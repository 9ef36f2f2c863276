public import Bytes
public import SystemPackage
import Tensors

/// The header of one GGUF file of version 2 or 3, checked in full.
///
/// Source: docs/gguf.md of ggml-org/ggml. Stricter in one point: between and after tensors only the
/// padding is allowed that alignment asks for.
public struct GGUFFile: Sendable {
  /// The longest header that is read. Vocabularies take some megabytes.
  public static let headerByteLimit = 64 << 20

  public let path: FilePath
  /// The size of the whole file.
  public let byteCount: Int
  /// Where the data begins, padding included.
  public let headerByteCount: Int
  /// XXH3-64 of the header.
  public let headerChecksum: UInt64
  /// Keys and values. Arrays of more than 4096 numbers or strings are objects that only tell their
  /// `element_count`.
  public let metadata: [String: JSONValue]
  /// The tensors in the order of their data.
  public let tensors: [TensorRecord]

  /// Reads the header of a file.
  public init(path: FilePath) throws(CheckpointsError) {
    try self.init(file: try .open(path))
  }

  /// Reads the header of an open file.
  package init(file: File, fileIndex: Int = 0) throws(CheckpointsError) {
    // How long a header is shows only when it has been read.
    var wanted = 1 << 20
    while true {
      let bytes = try file.read(0..<min(wanted, file.byteCount))
      if let header = try GGUFFile(
        beginning: bytes.rawSpan, path: file.path, byteCount: file.byteCount, fileIndex: fileIndex)
      {
        self = header
        return
      }
      wanted *= 4
    }
  }

  /// Reads the header from the beginning of a file; nil if it does not end there.
  /// - Parameter byteCount: The size of the whole file.
  package init?(
    beginning bytes: RawSpan, path: FilePath, byteCount: Int, fileIndex: Int = 0
  ) throws(CheckpointsError) {
    do throws(GGUFCursor.Stop) {
      var cursor = GGUFCursor(bytes, path: path, fileByteCount: byteCount)
      let tensorCount = try Self.readPreamble(&cursor)
      let keyCount = try cursor.count(of: "metadata keys", minimumByteCount: 14)
      guard tensorCount <= cursor.remainingByteCount / 25 else {
        throw cursor.error(
          .tooMany(
            what: "tensors", count: UInt64(tensorCount),
            remainingByteCount: cursor.remainingByteCount), at: 8)
      }
      let metadata = try GGUFMetadata(&cursor, count: keyCount)
      var infos: [GGUFTensorInfo] = []
      var names: Set<String> = []
      for index in 0..<tensorCount {
        let start = cursor.byteOffset
        let info = try GGUFTensorInfo(&cursor, index: index)
        guard names.insert(info.name).inserted else {
          throw cursor.error(.duplicateTensor(info.name), at: start)
        }
        infos.append(info)
      }
      let padding =
        (metadata.alignment - cursor.byteOffset % metadata.alignment)
        % metadata.alignment
      if tensorCount > 0 || padding <= cursor.remainingByteCount {
        try cursor.skip(padding, in: "the padding before the data")
      }
      tensors = try Self.arrange(
        infos, cursor: cursor, alignment: metadata.alignment, fileIndex: fileIndex)
      self.path = path
      self.byteCount = byteCount
      headerByteCount = cursor.byteOffset
      headerChecksum = Checksum.of(bytes.extracting(0..<headerByteCount))
      self.metadata = metadata.values
    } catch {
      if case .unsound(let error) = error { throw .gguf(error) }
      guard bytes.byteCount < Self.headerByteLimit else {
        throw .gguf(
          GGUFError(
            file: path, byteOffset: 0, problem: .headerTooLong(limit: Self.headerByteLimit)))
      }
      return nil
    }
  }

  /// Reads what comes before the number of keys, and returns the number of tensors.
  @_lifetime(cursor: copy cursor)
  private static func readPreamble(_ cursor: inout GGUFCursor) throws(GGUFCursor.Stop) -> Int {
    let magic = try cursor.integer(as: UInt32.self, in: "the first 4 bytes")
    guard magic == 0x4655_4747 else { throw cursor.error(.wrongMagic, at: 0) }
    let version = try cursor.integer(as: UInt32.self, in: "the version")
    if version != 0, version & 0xFFFF == 0 { throw cursor.error(.bigEndian, at: 4) }
    guard version == 2 || version == 3 else {
      throw cursor.error(.unknownVersion(version), at: 4)
    }
    return try cursor.count(of: "tensors", minimumByteCount: 25)
  }

  /// Places the tensors and checks that they cover the data, padding aside, without overlap.
  private static func arrange(
    _ infos: [GGUFTensorInfo], cursor: borrowing GGUFCursor, alignment: Int, fileIndex: Int
  ) throws(GGUFCursor.Stop) -> [TensorRecord] {
    let dataStart = cursor.byteOffset
    var records: [TensorRecord] = []
    for info in infos {
      guard info.offset % UInt64(alignment) == 0 else {
        throw cursor.error(
          .unalignedOffset(tensor: info.name, offset: info.offset, alignment: alignment),
          at: info.offsetByteOffset)
      }
      guard let offset = Int(exactly: info.offset), offset <= cursor.remainingByteCount,
        info.byteCount <= cursor.remainingByteCount - offset
      else {
        let (end, overflow) = Int(clamping: info.offset).addingReportingOverflow(info.byteCount)
        let (fileEnd, tooFar) = end.addingReportingOverflow(dataStart)
        throw cursor.error(
          .pastEnd(
            tensor: info.name, end: overflow || tooFar ? Int.max : fileEnd,
            fileByteCount: cursor.fileByteCount), at: info.offsetByteOffset)
      }
      let start = dataStart + offset
      records.append(
        TensorRecord(
          name: info.name, dtype: info.dtype, shape: info.shape, fileIndex: fileIndex,
          byteRange: start..<start + info.byteCount, blocks: info.blocks))
    }
    records.sort {
      ($0.byteRange.lowerBound, $0.byteRange.upperBound)
        < ($1.byteRange.lowerBound, $1.byteRange.upperBound)
    }
    var end = dataStart
    var last = ""
    for record in records {
      let start = record.byteRange.lowerBound
      if start < end {
        throw cursor.error(.overlap(tensor: record.name, other: last), at: start)
      }
      if start - end >= alignment { throw cursor.error(.hole(byteCount: start - end), at: end) }
      (end, last) = (record.byteRange.upperBound, record.name)
    }
    let rest = cursor.fileByteCount - end
    if rest >= alignment { throw cursor.error(.hole(byteCount: rest), at: end) }
    return records
  }
}
