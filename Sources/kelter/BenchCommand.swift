import ArgumentParser
import Quantization
import Validation

struct BenchCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Time the kernels on this machine, one thread, for each instruction set.",
    discussion: """
      A kernel reads 64 MiB, more than a core's caches hold, from end to end, in pieces: decoders \
      fill one tile of 16 KiB, from a line of the cache on, with Float32 again and again, \
      quantizers get 65536 weights at a time, as in conversions. GB/s counts the bytes that it \
      reads: FP8, BF16, codes with their scales, or Float32 weights for quantizers. 'memcpy' is \
      that rate against memcpy's, which copies the same 64 MiB to one tile in pieces of the size \
      at which it is fastest, beside each run of a kernel: the median of five pairs. Limits are \
      what releases are held to with the best instruction set. Times are the thread's processor \
      time, medians of five runs; all takes about fifteen seconds. 'measured' sums up the errors \
      on the way, as conversions do.

      KELTER_KERNELS=portable, avx2, avx512 or neon makes every command use that instruction set; \
      the outputs are the same bytes.
      """)

  @OptionGroup var output: OutputOptions

  func run() throws {
    // What `--json` prints; formats/bench.schema.json describes it.
    let timings = KernelBenchmark().run()
    try show(timings) { Self.text(timings) }
  }

  /// A line for each kernel, two columns for each instruction set, the best one last.
  static func text(_ found: KernelTimings) -> String {
    let timings = found.timings
    var sets: [String] = []
    for timing in timings where !sets.contains(timing.instructionSet) {
      sets.append(timing.instructionSet)
    }
    var table = TextTable(
      [("GB/s", .left)] + sets.flatMap { [($0, .right), ("memcpy", .right)] }
        + [("ns/weight", .right), ("", .left)])
    for best in timings where best.instructionSet == sets.last {
      let cells = sets.flatMap { set in
        let timing = timings.first { $0.instructionSet == set && $0.kernel == best.kernel }
        return [
          Figures.fixed(timing?.gigabytesPerSecond, digits: 2),
          Figures.fixed(timing?.ratioToMemcpy, digits: 2),
        ]
      }
      table.add(
        [best.kernel] + cells + [Figures.fixed(best.nanosecondsPerWeight, digits: 3), remark(best)])
    }
    let rate = Figures.fixed(found.memcpy.gigabytesPerSecond, digits: 2)
    return "memcpy: \(rate) GB/s in pieces of \(found.memcpy.pieceByteCount >> 10) KiB\n\n"
      + table.text()
  }

  /// What else there is to say of a kernel.
  private static func remark(_ timing: KernelTiming) -> String {
    var remarks: [String] = []
    if let least = timing.leastRatioToMemcpy {
      let verdict = timing.ratioToMemcpy < least ? ": missed" : ""
      remarks.append("≥ \(Figures.fixed(least, digits: 1)) of memcpy\(verdict)")
    }
    if let times = timing.timesInt4, let most = timing.mostTimesInt4 {
      let verdict = times > most ? ": missed" : ""
      let (found, limit) = (Figures.fixed(times, digits: 2), Figures.fixed(most, digits: 1))
      remarks.append("\(found) of int4-g64's time, ≤ \(limit)\(verdict)")
    }
    if let gigaflops = timing.gigaflops {
      remarks.append("\(Figures.fixed(gigaflops, digits: 1)) GFLOP/s")
    }
    return remarks.joined(separator: ", ")
  }
}
