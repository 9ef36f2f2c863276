extension Int {
  /// The least multiple of `multiple` that is not less.
  /// - Precondition: `self` is not negative, `multiple` is positive, and the result fits.
  @inlinable
  package func roundedUp(toMultipleOf multiple: Int) -> Int {
    (self + multiple - 1) / multiple * multiple
  }
}
