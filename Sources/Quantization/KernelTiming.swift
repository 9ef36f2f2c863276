/// How fast the kernels of this machine are on one thread.
public struct KernelTimings: Sendable, Encodable {
  /// What memcpy does with the same source at its best.
  public let memcpy: CopyTiming
  public let timings: [KernelTiming]
}

/// How fast memcpy is.
public struct CopyTiming: Sendable, Encodable {
  /// 10⁹ bytes of source per second of processor time, the median of all runs beside kernels.
  public let gigabytesPerSecond: Double
  /// The size of the pieces, and of the tile that they are copied to, at which it is fastest.
  public let pieceByteCount: Int

  private enum CodingKeys: String, CodingKey {
    case gigabytesPerSecond = "gigabytes_per_second"
    case pieceByteCount = "piece_byte_count"
  }
}

/// How fast one kernel is.
public struct KernelTiming: Sendable, Encodable {
  /// What `KELTER_KERNELS` takes: `portable`, `avx2`, `avx512` or `neon`.
  public let instructionSet: String
  public let kernel: String
  /// 10⁹ bytes of source per second of processor time.
  public let gigabytesPerSecond: Double
  /// Absent where bytes are no weights.
  public let nanosecondsPerWeight: Double?
  /// Of sums and products; absent where they are not what counts.
  public let gigaflops: Double?
  /// The rate against memcpy's, timed beside it: the median of five pairs of runs.
  public let ratioToMemcpy: Double
  /// What `ratioToMemcpy` should be at least.
  public let leastRatioToMemcpy: Double?
  /// The time per weight against that of dequantizing int4-g64, timed beside it: the median of five
  /// pairs of runs; of codes with tables only.
  public let timesInt4: Double?
  /// What `timesInt4` should be at most.
  public let mostTimesInt4: Double?

  private enum CodingKeys: String, CodingKey {
    case instructionSet = "instruction_set"
    case kernel
    case gigabytesPerSecond = "gigabytes_per_second"
    case nanosecondsPerWeight = "nanoseconds_per_weight"
    case gigaflops
    case ratioToMemcpy = "ratio_to_memcpy"
    case leastRatioToMemcpy = "least_ratio_to_memcpy"
    case timesInt4 = "times_int4"
    case mostTimesInt4 = "most_times_int4"
  }
}
