import CKernels

/// How much an approximation of weights differs from them.
///
/// Sums are taken in Float64 over chunks of 128 values, and the chunks' sums are added with about
/// 100 bits, so that the figures do not depend on how a matrix is divided between calls of `add` and
/// `merge`, as long as each part but the last has a multiple of 128 values.
public struct ErrorStatistics: Sendable {
  private var sums = ck_error_sums()
  /// The number of weights out of their block's range; see `Dequantizer.clippedCount`.
  public var clippedCount = 0

  public init() {}

  /// The number of pairs of finite values.
  public var count: Int { Int(sums.count) }
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

  /// Adds pairs of a weight and its approximation.
  /// - Precondition: both have the same number of values.
  public mutating func add(reference: Span<Float>, approximation: Span<Float>) {
    precondition(reference.count == approximation.count)
    unsafe reference.withUnsafeBufferPointer { reference in
      unsafe approximation.withUnsafeBufferPointer { approximation in
        unsafe ck_add_errors(
          reference.baseAddress, approximation.baseAddress, reference.count, &sums)
      }
    }
  }

  /// Adds the pairs of another part.
  public mutating func merge(_ other: ErrorStatistics) {
    unsafe withUnsafePointer(to: other.sums) { unsafe ck_merge_errors($0, &sums) }
    clippedCount += other.clippedCount
  }
}

extension ErrorStatistics {
  /// The number of bytes of `state`.
  public static let stateByteCount = MemoryLayout<ck_error_sums>.size + MemoryLayout<Int>.size

  /// All that was added so far, to the last bit, for the same program on the same machine.
  public var state: [UInt8] {
    var bytes = unsafe withUnsafeBytes(of: sums) { unsafe Array($0) }
    unsafe withUnsafeBytes(of: clippedCount) { unsafe bytes.append(contentsOf: $0) }
    return bytes
  }

  /// Takes up a `state`; nil if it can be none of so many pairs.
  public init?(state: [UInt8], pairCount: Int) {
    guard state.count == Self.stateByteCount else { return nil }
    var sums = ck_error_sums()
    unsafe withUnsafeMutableBytes(of: &sums) { sums in
      unsafe sums.copyBytes(from: state[..<sums.count])
    }
    unsafe withUnsafeMutableBytes(of: &clippedCount) { count in
      unsafe count.copyBytes(from: state[(state.count - count.count)...])
    }
    self.sums = sums
    let (total, overflow) = sums.count.addingReportingOverflow(sums.nonfinite_count)
    guard !overflow, total <= UInt64(clamping: pairCount), sums.zeroed_count <= sums.count,
      (0...pairCount).contains(clippedCount)
    else { return nil }
  }
}
