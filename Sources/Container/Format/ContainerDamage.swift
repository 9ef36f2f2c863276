/// What contradicts the format at some byte of a container.
public enum ContainerDamage: Sendable, Hashable, CustomStringConvertible {
  /// The checksum of the header is wrong.
  case headerChecksum
  /// The checksum of a section is wrong.
  case sectionChecksum(section: String)
  /// The checksum of an extent is wrong.
  case extentChecksum(extent: Int)
  /// The SHA-256 digest of an extent is wrong.
  case extentDigest(extent: Int)
  /// Bytes that are reserved or only fill a gap are not zero.
  case notZero
  /// A section is missing, unknown, out of place or has the wrong record size.
  case directory(section: Int)
  /// A constant of the header is not what the format says.
  case header(field: String)
  /// A field holds a value that has no meaning.
  case unknownValue(field: String, value: UInt64)
  /// A field points outside of what it must lie in.
  case outside(field: String)
  /// A field contradicts others.
  case contradiction(field: String)
  /// Records are not in their order.
  case unsorted(section: String)
  /// Bytes are not what their type says: no UTF-8, no JSON.
  case malformed(what: String)

  public var description: String {
    switch self {
    case .headerChecksum: "the header's checksum is wrong"
    case .sectionChecksum(let section): "the checksum of section \(section) is wrong"
    case .extentChecksum(let extent): "the checksum of extent \(extent) is wrong"
    case .extentDigest(let extent): "the SHA-256 of extent \(extent) is wrong"
    case .notZero: "reserved or filling bytes are not zero"
    case .directory(let section): "section \(section) is missing, unknown or out of place"
    case .header(let field): "the header's \(field) is wrong"
    case .unknownValue(let field, let value): "\(field) has the unknown value \(value)"
    case .outside(let field): "\(field) points outside"
    case .contradiction(let field): "\(field) contradicts other fields"
    case .unsorted(let section): "the records of section \(section) are not in order"
    case .malformed(let what): "malformed \(what)"
    }
  }
}
