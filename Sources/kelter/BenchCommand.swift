import ArgumentParser
import Quantization
import Validation

struct BenchCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Time the kernels on this machine, one thread, for each instruction set.",
    discussion: """
      A kernel reads 64 MiB, more than a core's caches hold, piece by piece into one tile of 16 KiB. \
      GB/s counts the bytes that it reads: FP8, BF16, codes, or Float32 weights for quantizers. \
      memcpy is the rate against copying the same pieces to the same tile. Times are the thread's \
      processor time, medians of five runs; all takes about ten seconds. 'measured' sums up the \
      errors on the way, as conversions do.

      KELTER_KERNELS=portable, avx2, avx512 or neon makes every command use that instruction set, \
      and no better one; the outputs are the same bytes.
      """)

  @OptionGroup var output: OutputOptions

  /// What `--json` prints. formats/bench.schema.json describes it.
  struct Document: Encodable {
    var timings: [KernelTiming]
  }

  func run() throws {
    let timings = KernelBenchmark().run()
    try show(Document(timings: timings)) { Self.text(timings) }
  }

  static func text(_ timings: [KernelTiming]) -> String {
    var sets: [String] = []
    for timing in timings where !sets.contains(timing.instructionSet) {
      sets.append(timing.instructionSet)
    }
    return sets.map { set in
      var table = TextTable([
        (set, .left), ("GB/s", .right), ("ns/weight", .right), ("memcpy", .right),
      ])
      for timing in timings where timing.instructionSet == set {
        table.add([
          timing.kernel, Figures.fixed(timing.gigabytesPerSecond, digits: 2),
          Figures.fixed(timing.nanosecondsPerWeight, digits: 3),
          Figures.fixed(timing.ratioToMemcpy, digits: 2),
        ])
      }
      return table.text()
    }.joined(separator: "\n")
  }
}
