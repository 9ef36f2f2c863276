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

  /// Bytes that `fill` makes, all of them; they are not zeroed before.
  package init<Failure: Error>(
    byteCount: Int, filledBy fill: (_ bytes: inout MutableRawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    var failure: Failure?
    unsafe self.init(unsafeUninitializedCapacity: byteCount) { buffer, count in
      var bytes = unsafe MutableRawSpan(
        _unsafeBytes: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: byteCount))
      do throws(Failure) {
        try fill(&bytes)
        count = byteCount
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }
}

extension ArraySlice<UInt8> {
  /// The bytes of this slice, lent.
  public var rawSpan: RawSpan {
    @_lifetime(borrow self)
    get { unsafe _overrideLifetime(span.bytes, borrowing: self) }
  }
}
