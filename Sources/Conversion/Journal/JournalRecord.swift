import Bytes

/// How a journal's records lie on the disk: kind and payload size (32 bits each), the payload,
/// XXH3-64 of all that and of the record's place (64 bits). Little-endian. A record that was torn,
/// damaged or moved has the wrong checksum.
struct JournalRecord: Equatable {
  enum Kind: UInt32 {
    /// "KJRN" read as a little-endian number: the first record, what the run was asked to do.
    case header = 0x4E52_4A4B
    /// A unit whose extent is written.
    case unit = 1
    /// A layer that is measured.
    case layer = 2
  }

  var kind: Kind
  var payload: [UInt8]

  /// What a journal begins with.
  static let magic = Array("KJRN".utf8)
  /// What a record takes besides its payload.
  static let overheadByteCount = 16
  /// The payload of the largest record, far beyond any real one.
  static let maximumPayloadByteCount = 64 << 20

  var byteCount: Int { payload.count + Self.overheadByteCount }

  /// The record as it lies at a place.
  func bytes(at byteOffset: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(byteCount)
    bytes.appendLittleEndian(kind.rawValue)
    bytes.appendLittleEndian(UInt32(payload.count))
    bytes += payload
    bytes.appendLittleEndian(Self.checksum(bytes, at: byteOffset))
    return bytes
  }

  /// Reads the record at a place; nil if there is none that is whole.
  init?(in file: some ByteSource, at byteOffset: Int) {
    guard let head = try? file.bytes(in: byteOffset..<byteOffset + 8),
      let kind = head.littleEndian(at: 0, as: UInt32.self).flatMap(Kind.init),
      let count = head.littleEndian(at: 4, as: UInt32.self), count <= Self.maximumPayloadByteCount,
      let bytes = try? file.bytes(
        in: byteOffset..<byteOffset + Int(count) + Self.overheadByteCount)
    else { return nil }
    let sum: UInt64? = bytes.littleEndian(at: bytes.count - 8)
    guard sum == Self.checksum(bytes.dropLast(8), at: byteOffset) else { return nil }
    self.init(kind: kind, payload: Array(bytes[8..<bytes.count - 8]))
  }

  /// - Precondition: the payload is not larger than the largest.
  init(kind: Kind, payload: [UInt8]) {
    self.kind = kind
    self.payload = payload
  }

  private static func checksum(_ bytes: some Sequence<UInt8>, at byteOffset: Int) -> UInt64 {
    var summed = Array(bytes)
    summed.appendLittleEndian(UInt64(byteOffset))
    return Checksum.of(summed.rawSpan)
  }
}

/// Takes the fields of a payload in their order.
struct JournalFields {
  private let bytes: [UInt8]
  private var byteOffset = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Whether all fields have been taken.
  var isAtEnd: Bool { byteOffset == bytes.count }

  /// The next integer, or nil past the end.
  mutating func next<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type = Value.self
  ) -> Value? {
    guard let value = bytes.littleEndian(at: byteOffset, as: type) else { return nil }
    byteOffset += MemoryLayout<Value>.size
    return value
  }

  /// The next bytes, or nil past the end.
  mutating func next(byteCount: Int) -> [UInt8]? {
    guard byteCount >= 0, byteCount <= bytes.count - byteOffset else { return nil }
    defer { byteOffset += byteCount }
    return Array(bytes[byteOffset..<byteOffset + byteCount])
  }
}
