/// The measured error of a tensor against its source. Metrics as `Validation` defines them.
public struct ErrorRecord: Sendable, Hashable {
  /// ‖x̂ − x‖₂ / ‖x‖₂
  public var relativeError: Double
  /// In dB; infinite where nothing was lost.
  public var signalToQuantizationNoise: Double
  /// The largest |x̂ − x|.
  public var maximumAbsoluteError: Double
  /// The share of values that are not zero and became zero.
  public var zeroedShare: Double
  /// The share of values outside of the range that their block can represent.
  public var clippedShare: Double
  /// The number of values of the source that are NaN or infinite.
  public var nonFiniteCount: UInt64

  public init(
    relativeError: Double, signalToQuantizationNoise: Double, maximumAbsoluteError: Double,
    zeroedShare: Double, clippedShare: Double, nonFiniteCount: UInt64 = 0
  ) {
    self.relativeError = relativeError
    self.signalToQuantizationNoise = signalToQuantizationNoise
    self.maximumAbsoluteError = maximumAbsoluteError
    self.zeroedShare = zeroedShare
    self.clippedShare = clippedShare
    self.nonFiniteCount = nonFiniteCount
  }
}
