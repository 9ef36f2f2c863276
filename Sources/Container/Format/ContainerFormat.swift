/// The constants of the `.kelter` file. formats/container.md is the contract.
public enum ContainerFormat {
  /// Eight bytes that a text editor, a transfer in text mode or a wrong end of a file cannot keep.
  package static let magic: [UInt8] = [0x89, 0x4B, 0x4C, 0x54, 0x0D, 0x0A, 0x1A, 0x0A]
  /// The version of the format, apart from the version of the package. A reader refuses a greater
  /// one.
  public static let major: UInt16 = 1
  /// A reader accepts a greater one if it knows all required features.
  public static let minor: UInt16 = 1
  /// Extents start and end at multiples of this many bytes.
  public static let alignment = 16_384
  /// The header takes one page.
  package static let headerByteCount = 16_384
  /// Where the header keeps the checksum of all bytes before it.
  package static let headerChecksumOffset = headerByteCount - 8
  /// Where the directory of sections starts.
  package static let directoryOffset = 64
  /// The size of one entry of the directory.
  package static let directoryEntryByteCount = 48
  /// Sections, tensors and files start at multiples of this many bytes.
  package static let innerAlignment = 64
  /// The largest number of dimensions of a tensor.
  package static let maximumRank = 8
  /// Stands for "none" in a 32-bit field.
  package static let none = UInt32.max
  /// The required features that this version knows.
  package static let knownRequiredFeatures = RequiredFeatures.tables
}

/// The required features: a reader refuses a file with one that it does not know.
public struct RequiredFeatures: OptionSet, Sendable, Hashable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }
  /// Tensors are indices into tables of levels. Since version 1.1.
  public static let tables = RequiredFeatures(rawValue: 1)
}

/// The optional features: a reader may ignore those that it does not know.
public struct OptionalFeatures: OptionSet, Sendable, Hashable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }
  /// A section holds the SHA-256 digest of every extent.
  public static let digests = OptionalFeatures(rawValue: 1)
}

/// The sections of the index, in their order in the file.
package enum SectionKind: UInt32, Sendable, CaseIterable {
  case metadata = 1
  case strings = 2
  case tensors = 3
  case extents = 4
  case layers = 5
  case experts = 6
  case errors = 7
  case files = 8
  case sources = 9
  case digests = 10

  /// The size of one record in bytes.
  package var recordByteCount: Int {
    switch self {
    case .metadata, .strings: 1
    case .tensors: 192
    case .extents: 48
    case .layers: 32
    case .experts: 80
    case .errors: 64
    case .files: 32
    case .sources: 48
    case .digests: 32
    }
  }

  /// The sections of a file with these features.
  package static func all(features: OptionalFeatures) -> [SectionKind] {
    allCases.filter { $0 != .digests || features.contains(.digests) }
  }
}

/// What an extent holds.
package enum ExtentKind: UInt32, Sendable {
  case expert = 1
  case tensors = 2
  case files = 3
}

/// How a tensor is stored, as its record says it.
package enum EncodingKind: UInt8, Sendable {
  case plain = 1
  case quantized = 2
  /// Codes are indices into tables of levels.
  case tables = 3
}
