import Glibc
public import Tensors

/// SplitMix64 (Steele, Lea, Flood 2014): a small generator whose numbers are the same everywhere.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) {
    state = seed
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

extension Matrix {
  /// Normal numbers by the Box–Muller transform, the same for the same arguments: the input of an
  /// expert that saw no token, and of layers that the stream does not reach.
  ///
  /// - Parameter rootMeanSquare: the standard deviation; the mean is zero.
  /// - Parameter stream: tells apart what shares a seed, for example layer and expert; each
  ///   combination has numbers of its own.
  public static func seededNormal(
    rows: Int, columns: Int, rootMeanSquare: Double, seed: UInt64, stream: [UInt64] = []
  ) -> Matrix {
    var generator = SplitMix64(seed: seed)
    for part in stream { generator = SplitMix64(seed: generator.next() ^ part) }
    var matrix = Matrix(rows: rows, columns: columns)
    for index in stride(from: 0, to: matrix.values.count, by: 2) {
      // In (0, 1], so that the logarithm is finite.
      let radius = (-2 * log(1 - generator.nextFraction())).squareRoot() * rootMeanSquare
      let angle = 2 * Double.pi * generator.nextFraction()
      matrix.values[index] = Float(radius * cos(angle))
      if index + 1 < matrix.values.count { matrix.values[index + 1] = Float(radius * sin(angle)) }
    }
    return matrix
  }
}

extension SplitMix64 {
  /// A multiple of 2^−53 in [0, 1).
  fileprivate mutating func nextFraction() -> Double {
    Double(next() >> 11) * 0x1p-53
  }
}
