internal import CKernels

/// XXH3-64 with seed 0 and the default secret (github.com/Cyan4973/xxHash, doc/xxhash_spec.md).
///
/// Bytes may arrive in pieces of any length. It finds damage; it does not resist forgery.
public struct Checksum: Sendable {
  private var state = ck_checksum_state()

  public init() { unsafe ck_checksum_init(&state) }

  /// Adds bytes.
  public mutating func update(_ bytes: RawSpan) {
    unsafe bytes.withUnsafeBytes { buffer in
      unsafe ck_checksum_update(
        &state, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), buffer.count)
    }
  }

  /// The checksum of all bytes so far; more may follow.
  public func value() -> UInt64 {
    unsafe withUnsafePointer(to: state) { unsafe ck_checksum_value($0) }
  }

  /// The checksum of these bytes.
  public static func of(_ bytes: RawSpan) -> UInt64 {
    var checksum = Checksum()
    checksum.update(bytes)
    return checksum.value()
  }
}
