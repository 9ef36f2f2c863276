import CKernels

/// How much an approximation of weights differs from them.
///
/// Sums are taken in Float32 over chunks of at most 128 values of a row, and the chunks' sums are
/// added with about 100 bits, so that the figures do not depend on how the rows of a matrix are
/// divided between calls of `add` and `merge`. They are within 14·2^-24 of the truth;
/// formats/quantization.md specifies them.
public struct ErrorStatistics: Sendable {
  var sums = ck_error_sums()

  public init() {}

  /// The number of pairs of finite values.
  public var count: Int { Int(sums.count) }
  /// The number of weights out of their block's range; see `Dequantizer.clippedCount`.
  public var clippedCount: Int {
    get { Int(sums.clipped_count) }
    set { sums.clipped_count = UInt64(newValue) }
  }
  /// Σ x².
  public var sumOfSquares: Double { sums.squares_high + sums.squares_low }
  /// Σ (x − x̂)².
  public var sumOfSquaredErrors: Double { sums.squared_errors_high + sums.squared_errors_low }
  /// max |x − x̂|.
  public var maximumAbsoluteError: Double { sums.maximum_absolute_error }
  /// The number of pairs with x ≠ 0 and x̂ = 0.
  public var zeroedCount: Int { Int(sums.zeroed_count) }
  /// The number of pairs of which one value is infinite or NaN. They count nowhere else.
  public var nonFiniteCount: Int { Int(sums.nonfinite_count) }

  /// ‖x − x̂‖₂ / ‖x‖₂; 0 where nothing differs, infinite where only x̂ is not zero.
  public var relativeError: Double {
    sumOfSquaredErrors == 0 ? 0 : (sumOfSquaredErrors / sumOfSquares).squareRoot()
  }

  /// 20 log₁₀(‖x‖₂ / ‖x − x̂‖₂), in dB; infinite where nothing differs. The same bits on every
  /// processor.
  public var signalToQuantizationNoise: Double {
    sumOfSquaredErrors == 0 ? .infinity : 10 * (sumOfSquares / sumOfSquaredErrors).decimalLogarithm
  }

  /// Adds pairs of a weight and its approximation: whole rows of `columns`.
  /// - Precondition: both have the same number of values.
  public mutating func add(reference: Span<Float>, approximation: Span<Float>, columns: Int) {
    precondition(reference.count == approximation.count)
    if reference.count == 0 { return }
    precondition(reference.count % columns == 0)
    unsafe reference.withUnsafeBufferPointer { reference in
      unsafe approximation.withUnsafeBufferPointer { approximation in
        unsafe ck_add_errors(
          reference.baseAddress, approximation.baseAddress, reference.count / columns, columns,
          &sums)
      }
    }
  }

  /// Adds the pairs of another part.
  public mutating func merge(_ other: ErrorStatistics) {
    unsafe withUnsafePointer(to: other.sums) { unsafe ck_merge_errors($0, &sums) }
  }
}

extension ErrorStatistics {
  /// The number of bytes of `state`.
  public static let stateByteCount = MemoryLayout<ck_error_sums>.size

  /// All that was added so far, to the last bit, for the same program on the same machine.
  public var state: [UInt8] {
    unsafe withUnsafeBytes(of: sums) { unsafe Array($0) }
  }

  /// Takes up a `state`; nil if it can be none of so many pairs.
  public init?(state: [UInt8], pairCount: Int) {
    guard state.count == Self.stateByteCount else { return nil }
    var sums = ck_error_sums()
    unsafe withUnsafeMutableBytes(of: &sums) { sums in
      unsafe sums.copyBytes(from: state)
    }
    self.sums = sums
    let (total, overflow) = sums.count.addingReportingOverflow(sums.nonfinite_count)
    guard !overflow, total <= UInt64(clamping: pairCount), sums.zeroed_count <= sums.count,
      sums.clipped_count <= UInt64(clamping: pairCount)
    else { return nil }
  }
}
