package import Bytes
public import SystemPackage

/// The header of one safetensors file, checked in full.
///
/// The file is 8 bytes of header length (little-endian), that many bytes of JSON, and the data.
/// Source: the Format section of the README of huggingface/safetensors. Stricter than the
/// reference in two points: the header must begin with `{` itself, as the README says, and a
/// tensor may have no further fields.
public struct SafetensorsFile: Sendable {
  /// The longest header that the format allows.
  public static let headerByteLimit = 100_000_000

  public let path: FilePath
  /// The size of the whole file.
  public let byteCount: Int
  /// Where the data begins: the 8 bytes of the length and the JSON.
  public let headerByteCount: Int
  /// XXH3-64 of the first `headerByteCount` bytes.
  public let headerChecksum: UInt64
  /// `__metadata__`, free text of whoever wrote the file.
  public let metadata: [String: String]
  /// The tensors in the order of their data.
  public let tensors: [TensorRecord]

  /// Reads the header of a file.
  public init(path: FilePath) throws(CheckpointsError) {
    try self.init(file: try .open(path))
  }

  /// Reads the header of an open file.
  package init(file: File, fileIndex: Int = 0) throws(CheckpointsError) {
    let prefix = try file.read(0..<min(8, file.byteCount))
    let jsonByteCount = try Self.jsonByteCount(
      prefix: prefix.rawSpan, path: file.path, byteCount: file.byteCount)
    let header = try file.read(0..<8 + jsonByteCount)
    try self.init(
      header: header.rawSpan, path: file.path, byteCount: file.byteCount, fileIndex: fileIndex)
  }

  /// Reads the header of a file that is in memory, whole or at least up to the end of its header.
  /// - Parameter byteCount: The size of the whole file.
  package init(
    header bytes: RawSpan, path: FilePath, byteCount: Int, fileIndex: Int = 0
  ) throws(CheckpointsError) {
    let jsonByteCount = try Self.jsonByteCount(prefix: bytes, path: path, byteCount: byteCount)
    headerByteCount = 8 + jsonByteCount
    let header = bytes.extracting(0..<headerByteCount)
    let parsed = try SafetensorsHeader(
      json: header.extracting(8..<headerByteCount), path: path, fileIndex: fileIndex,
      dataRange: headerByteCount..<byteCount)
    self.path = path
    self.byteCount = byteCount
    headerChecksum = Checksum.of(header)
    metadata = parsed.metadata
    tensors = parsed.tensors
  }

  /// The length of the JSON, checked against the limit and against the file.
  private static func jsonByteCount(
    prefix: RawSpan, path: FilePath, byteCount: Int
  ) throws(CheckpointsError) -> Int {
    guard let claimed = prefix.littleEndian(at: 0, as: UInt64.self) else {
      throw .tooSmall(file: path, byteCount: byteCount)
    }
    guard claimed <= headerByteLimit else {
      throw .headerTooLong(file: path, headerByteCount: claimed, limit: headerByteLimit)
    }
    let jsonByteCount = Int(claimed)
    guard jsonByteCount <= byteCount - 8 else {
      throw .headerPastEnd(file: path, headerByteCount: jsonByteCount, byteCount: byteCount)
    }
    return jsonByteCount
  }
}
