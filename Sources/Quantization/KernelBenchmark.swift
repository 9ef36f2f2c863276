import Bytes
import CKernels
import Tensors

/// How fast one kernel is on one thread.
public struct KernelTiming: Sendable, Encodable {
  /// What `KELTER_KERNELS` takes: `portable`, `avx2` or `avx512`.
  public let instructionSet: String
  public let kernel: String
  /// 10⁹ bytes of source per second of processor time.
  public let gigabytesPerSecond: Double
  /// Absent where bytes are no weights.
  public let nanosecondsPerWeight: Double?
  /// Against memcpy of the same pieces of the same source.
  public let ratioToMemcpy: Double

  private enum CodingKeys: String, CodingKey {
    case instructionSet = "instruction_set"
    case kernel
    case gigabytesPerSecond = "gigabytes_per_second"
    case nanosecondsPerWeight = "nanoseconds_per_weight"
    case ratioToMemcpy = "ratio_to_memcpy"
  }
}

/// Times the kernels on this machine, for each instruction set that it has.
///
/// A source of 64 MiB, more than what a core's caches hold, is read once from end to end, in pieces
/// whose results fill one tile of 16 KiB that is used again and again. memcpy copies the same pieces
/// of the same source to the same tile. A figure is the median of five runs.
public struct KernelBenchmark {
  static let sourceByteCount = 64 << 20
  static let tileByteCount = 16 << 10
  static let columns = 2048
  static let runs = 5

  /// Float32 weights, nearly normal, and their bytes as other types' codes.
  let values: [Float]
  let bytes: [UInt8]

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

  /// Times everything; takes about ten seconds.
  /// - Parameter report: receives each result, a few at a time.
  public func run() -> [KernelTiming] {
    let before = ck_isa_in_use()
    defer { _ = ck_select_isa(before) }
    var timings: [KernelTiming] = []
    var copies: [Int: Double] = [:]
    for (isa, name) in Self.instructionSets where ck_select_isa(isa) == 0 {
      for kernel in kernels {
        let copy = copies[kernel.pieceByteCount] ?? time(copy(kernel.pieceByteCount))
        copies[kernel.pieceByteCount] = copy
        let time = time(kernel)
        timings.append(
          KernelTiming(
            instructionSet: name, kernel: kernel.name, gigabytesPerSecond: 1 / time,
            nanosecondsPerWeight: kernel.weightByteCount.map { $0 * time },
            ratioToMemcpy: copy / time))
      }
    }
    return timings
  }

  /// One thing to time.
  struct Kernel {
    let name: String
    /// The source's bytes per weight.
    let weightByteCount: Double?
    /// What is read at a time.
    let pieceByteCount: Int
    /// Stops before the end of the source where a kernel is slow.
    var longestRun: UInt64 = 12_000_000
    /// Works on the piece that begins at this byte.
    let work: (_ byteOffset: Int) -> Void
  }

  /// Nanoseconds per byte, the median of the runs.
  private func time(_ kernel: Kernel) -> Double {
    var times: [Double] = []
    for _ in 0..<Self.runs {
      let start = ck_thread_nanoseconds()
      var end = start
      var offset = 0
      while offset < Self.sourceByteCount, end - start < kernel.longestRun {
        // The clock is asked now and then only.
        for _ in 0..<max(1, (256 << 10) / kernel.pieceByteCount)
        where offset < Self.sourceByteCount {
          kernel.work(offset)
          offset += kernel.pieceByteCount
        }
        end = ck_thread_nanoseconds()
      }
      times.append(Double(end - start) / Double(offset))
    }
    return times.sorted()[Self.runs / 2]
  }
}
