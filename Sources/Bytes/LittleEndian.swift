extension RawSpan {
  /// The little-endian integer at `byteOffset`, or nil if it does not lie inside.
  @inlinable
  public func littleEndian<T: FixedWidthInteger & BitwiseCopyable>(
    at byteOffset: Int, as type: T.Type = T.self
  ) -> T? {
    guard byteOffset >= 0, byteCount - byteOffset >= MemoryLayout<T>.size else { return nil }
    return T(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: byteOffset, as: T.self))
  }
}

extension MutableRawSpan {
  /// Stores an integer little-endian at `byteOffset`; false, and nothing stored, if it does not
  /// lie inside.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func storeLittleEndian<T: FixedWidthInteger & BitwiseCopyable>(
    _ value: T, at byteOffset: Int
  ) -> Bool {
    guard byteOffset >= 0, byteCount - byteOffset >= MemoryLayout<T>.size else { return false }
    storeBytes(of: value.littleEndian, toByteOffset: byteOffset, as: T.self)
    return true
  }
}

extension [UInt8] {
  /// The little-endian integer at `byteOffset`, or nil if it does not lie inside.
  @inlinable
  public func littleEndian<T: FixedWidthInteger & BitwiseCopyable>(
    at byteOffset: Int, as type: T.Type = T.self
  ) -> T? {
    rawSpan.littleEndian(at: byteOffset, as: type)
  }

  /// Appends an integer, little-endian.
  @inlinable
  public mutating func appendLittleEndian<T: FixedWidthInteger>(_ value: T) {
    for byte in 0..<MemoryLayout<T>.size {
      append(UInt8(truncatingIfNeeded: value >> (8 * byte)))
    }
  }
}
