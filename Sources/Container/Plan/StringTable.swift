/// Where a string lies in the strings section.
struct StringReference: Sendable, Hashable {
  var byteOffset: UInt32
  var byteCount: UInt32
}

/// The strings section while it is laid out: every string once, in the order of its first use.
///
/// Strings are told apart by their bytes; Swift's `==` takes canonically equivalent ones as equal.
struct StringTable: Sendable {
  private(set) var bytes: [UInt8] = []
  private var references: [[UInt8]: StringReference] = [:]

  /// Where the string lies; it is added if it is new. Nil if the section gets too large.
  mutating func insert(_ string: String) -> StringReference? {
    let utf8 = Array(string.utf8)
    if let reference = references[utf8] { return reference }
    guard let byteOffset = UInt32(exactly: bytes.count), let byteCount = UInt32(exactly: utf8.count)
    else { return nil }
    let reference = StringReference(byteOffset: byteOffset, byteCount: byteCount)
    bytes.append(contentsOf: utf8)
    references[utf8] = reference
    return reference
  }

  /// Where a string lies that was inserted before.
  func reference(_ string: String) -> StringReference {
    references[Array(string.utf8)] ?? StringReference(byteOffset: 0, byteCount: 0)
  }
}

extension String {
  /// Whether the bytes of this string come before those of the other: the order of the file.
  package func utf8Precedes(_ other: String) -> Bool {
    utf8.lexicographicallyPrecedes(other.utf8)
  }
}
