extension MutableSpan where Element: ~Copyable {
  /// A part of the span, to be changed while the span itself rests.
  @_lifetime(&self)
  @inlinable
  package mutating func slice(_ range: Range<Int>) -> MutableSpan<Element> {
    _mutatingExtracting(range)
  }
}

extension MutableRawSpan {
  /// A part of the span, to be changed while the span itself rests.
  @_lifetime(&self)
  @inlinable
  package mutating func slice(_ range: Range<Int>) -> MutableRawSpan {
    _mutatingExtracting(range)
  }
}
