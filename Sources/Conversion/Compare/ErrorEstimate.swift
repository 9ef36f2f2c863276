/// The relative error ‖ŵ − w‖ / ‖w‖ of many weights, estimated on tiles of them.
///
/// With R = Σ(ŵ − w)² / Σw², the error is √R. R is estimated by the combined ratio estimator of
/// stratified sampling (Cochran, Sampling Techniques, 3rd edition, 6.11 and 6.12): over the strata
/// h, each with N of tiles of which n were drawn, with yᵢ the squared error and xᵢ the sum of
/// squares of a tile,
///
///     R = Σ N·ȳ / Σ N·x̄        Var(R) = Σ N²·(1 − n/N)·s²/n / (Σ N·x̄)²
///
/// where s² is the variance within the stratum of yᵢ − R·xᵢ. The standard error of √R is that of R
/// over 2√R. The margin is that many standard errors within which Student's t-distribution has
/// 95 %, its degrees of freedom by Satterthwaite (Cochran, 5.16): with v the terms of Var(R),
/// (Σ v)² / Σ v²/(n − 1).
struct ErrorEstimate: Sendable, Equatable {
  /// Infinite where only ŵ is not zero.
  let relativeError: Double
  /// The standard error of `relativeError`; 0 if all weights were measured, or if nothing is lost.
  let standardError: Double
  /// With a probability of about 95 %, the error of all weights is within this of `relativeError`.
  let margin: Double

  /// The tiles of one stratum.
  struct Stratum {
    /// N: the number of all its tiles.
    var tileCount: Int
    /// The tiles that were drawn, two at least unless there is one only.
    var tiles: [(squares: Double, squaredErrors: Double)]
  }

  init(_ strata: [Stratum]) {
    let strata = strata.filter { !$0.tiles.isEmpty }
    /// Of each stratum, the number of tiles that a drawn one stands for.
    let weights = strata.map { Double($0.tileCount) / Double($0.tiles.count) }
    var squares = 0.0
    var squaredErrors = 0.0
    for (stratum, weight) in zip(strata, weights) {
      for tile in stratum.tiles {
        squares += weight * tile.squares
        squaredErrors += weight * tile.squaredErrors
      }
    }
    guard squaredErrors > 0 else {
      (relativeError, standardError, margin) = (0, 0, 0)
      return
    }
    let ratio = squaredErrors / squares
    relativeError = ratio.squareRoot()

    var variance = 0.0
    var sumOfShares = 0.0
    for (stratum, weight) in zip(strata, weights) where stratum.tiles.count > 1 {
      let count = Double(stratum.tiles.count)
      let residues = stratum.tiles.map { $0.squaredErrors - ratio * $0.squares }
      let mean = residues.reduce(0, +) / count
      let spread = residues.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
      let term = weight * weight * count * (1 - 1 / weight) * spread
      variance += term
      sumOfShares += term * term / (count - 1)
    }
    standardError = variance.squareRoot() / squares / (2 * relativeError)
    let degreesOfFreedom = variance == 0 ? 1 : variance * variance / sumOfShares
    margin = standardError * Self.studentQuantile(degreesOfFreedom: degreesOfFreedom)
  }

  /// The 97.5 % quantile of Student's t-distribution: 95 % are within it on both sides.
  /// - Parameter degreesOfFreedom: 1 or more; rounded down.
  static func studentQuantile(degreesOfFreedom: Double) -> Double {
    // Two decimals of the tables; above them the expansion of Abramowitz and Stegun, 26.7.5.
    let table = [12.71, 4.30, 3.18, 2.78, 2.57]
    if degreesOfFreedom < 6 { return table[max(1, min(5, Int(degreesOfFreedom))) - 1] }
    let z = 1.959964
    let (z3, z5, z7) = (z * z * z, z * z * z * z * z, z * z * z * z * z * z * z)
    let ν = degreesOfFreedom.rounded(.down)
    return z + (z3 + z) / (4 * ν) + (5 * z5 + 16 * z3 + 3 * z) / (96 * ν * ν)
      + (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * ν * ν * ν)
  }
}
