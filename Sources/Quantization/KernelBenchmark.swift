import CKernels
import Tensors

/// Times the kernels on this machine, for each instruction set that it has.
///
/// A source of 64 MiB, more than what a core's caches hold, is read once from end to end, in
/// pieces. Decoders fill one tile of 16 KiB again and again; quantizers get as many weights at a
/// time as in conversions. memcpy copies the same source to one tile, in pieces of the size at
/// which it is fastest. A figure is the median of five runs, a ratio that of five pairs of runs.
public struct KernelBenchmark {
  static let sourceByteCount = 64 << 20
  /// Of the weights that a decoder makes at a time.
  static let decodedCount = 4 << 10
  /// Of the weights that a quantizer takes at a time.
  static let quantizedCount = 64 << 10
  static let columns = 2048
  static let runs = 5

  /// Float32 weights, nearly normal.
  let values: [Float]
  /// Their bytes in BFloat16, as codes of any type.
  let bytes: [UInt8]
  /// What may be scales of any type, or zero points.
  let scales = [UInt8](repeating: 0x3C, count: sourceByteCount / 4)

  public init() {
    var state: UInt64 = 1
    func uniform() -> Float {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
    }
    // Repeated, because random numbers take longer than what is measured.
    let part = (0..<1 << 18).map { _ in
      0.02 * (uniform() + uniform() + uniform())
    }
    var values: [Float] = []
    values.reserveCapacity(Self.sourceByteCount / 4)
    while values.count < Self.sourceByteCount / 4 { values += part }
    self.values = values
    var half = [UInt8](repeating: 0, count: Self.sourceByteCount / 2)
    var span = half.mutableSpan
    ElementConversion.encodeBF16(values.span, into: &span)
    bytes = half + half
  }

  /// The instruction sets of this machine, the best last.
  static var instructionSets: [(isa: ck_isa, name: String)] {
    [
      (CK_ISA_PORTABLE, "portable"), (CK_ISA_AVX2, "avx2"), (CK_ISA_AVX512, "avx512"),
      (CK_ISA_NEON, "neon"),
    ].filter { ck_has_isa($0.0) != 0 }
  }

  /// One thing to time.
  struct Kernel {
    let name: String
    /// What is read at a time: of these bytes there are that many weights.
    let pieceByteCount: Int
    let pieceWeightCount: Int?
    /// How many pieces the source has.
    let pieceCount: Int
    /// Sums and products for each weight.
    var operationsPerWeight: Double?
    var leastRatioToMemcpy: Double?
    var mostTimesInt4: Double?
    /// Works on a piece.
    let work: (_ piece: Int) -> Void

    var bytesPerWeight: Double? { pieceWeightCount.map { Double(pieceByteCount) / Double($0) } }
  }

  /// Times everything; takes about fifteen seconds.
  public func run() -> KernelTimings {
    let before = ck_isa_in_use()
    defer { _ = ck_select_isa(before) }
    let copy = fastestCopy()
    var copyTimes: [Double] = []
    var timings: [KernelTiming] = []
    for (isa, name) in Self.instructionSets where ck_select_isa(isa) == 0 {
      let int4 = dequantizing(.int4G64)
      for kernel in kernels {
        // What a kernel is compared with is timed beside it, each time: what else the machine does
        // slows both.
        let rounds = (0..<Self.runs).map { _ in
          Round(
            time: Self.time(kernel), copy: Self.time(copy),
            int4: kernel.mostTimesInt4 == nil ? nil : Self.time(int4))
        }
        copyTimes += rounds.map(\.copy)
        timings.append(timing(of: kernel, instructionSet: name, rounds: rounds, int4: int4))
      }
    }
    return KernelTimings(
      memcpy: CopyTiming(
        gigabytesPerSecond: 1 / Self.median(copyTimes), pieceByteCount: copy.pieceByteCount),
      timings: timings)
  }

  /// Nanoseconds per byte of a kernel, of memcpy, and of dequantizing int4-g64 where the kernel is
  /// compared with that.
  private struct Round {
    let time: Double
    let copy: Double
    let int4: Double?
  }

  private func timing(
    of kernel: Kernel, instructionSet: String, rounds: [Round], int4: Kernel
  ) -> KernelTiming {
    let time = Self.median(rounds.map(\.time))
    let perWeight = kernel.bytesPerWeight.map { time * $0 }
    let bytesOfInt4 = (kernel.bytesPerWeight ?? 1) / (int4.bytesPerWeight ?? 1)
    let timesInt4 = rounds.compactMap { round in round.int4.map { round.time / $0 * bytesOfInt4 } }
    return KernelTiming(
      instructionSet: instructionSet, kernel: kernel.name, gigabytesPerSecond: 1 / time,
      nanosecondsPerWeight: perWeight,
      gigaflops: kernel.operationsPerWeight.flatMap { count in perWeight.map { count / $0 } },
      ratioToMemcpy: Self.median(rounds.map { $0.copy / $0.time }),
      leastRatioToMemcpy: kernel.leastRatioToMemcpy,
      timesInt4: timesInt4.isEmpty ? nil : Self.median(timesInt4),
      mostTimesInt4: kernel.mostTimesInt4)
  }

  /// memcpy in pieces of the size at which it is fastest.
  private func fastestCopy() -> Kernel {
    let copies = (13...18).map { copying(1 << $0) }
    let times = copies.map { copy in Self.median((0..<Self.runs).map { _ in Self.time(copy) }) }
    return copies[zip(times, times.indices).min { $0.0 < $1.0 }?.1 ?? 0]
  }

  private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  /// Nanoseconds per byte.
  private static func time(_ kernel: Kernel) -> Double {
    // The clock is asked now and then only, and what is slow stops before the end.
    let step = max(1, (256 << 10) / kernel.pieceByteCount)
    let start = ck_thread_nanoseconds()
    var end = start
    var piece = 0
    while piece < kernel.pieceCount, end - start < 6_000_000 {
      let next = min(kernel.pieceCount, piece + step)
      while piece < next {
        kernel.work(piece)
        piece += 1
      }
      end = ck_thread_nanoseconds()
    }
    return Double(end - start) / Double(piece * kernel.pieceByteCount)
  }
}
