extension [UInt8] {
  /// The bytes of this array, lent. (`Span.bytes` counts as unsafe because other elements may
  /// have padding; bytes have none.)
  public var rawSpan: RawSpan {
    @_lifetime(borrow self)
    get { unsafe _overrideLifetime(span.bytes, borrowing: self) }
  }

  /// The bytes of this array, lent for writing.
  public var mutableRawSpan: MutableRawSpan {
    @_lifetime(&self)
    mutating get {
      var elements = mutableSpan
      // The array is held exclusively through the span's lifetime; the cast only drops the type.
      let bytes = unsafe elements.withUnsafeMutableBufferPointer {
        UnsafeMutableRawBufferPointer($0)
      }
      let span = unsafe MutableRawSpan(_unsafeBytes: bytes)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }
}
