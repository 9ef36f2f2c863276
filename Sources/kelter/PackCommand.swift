import ArgumentParser
import Bytes
import Container
import Conversion
import SystemPackage
import Validation

struct PackCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Pack a .kelter file for transport, as zstd frames that can be read one by one.",
    discussion: """
      `zstd -d` restores the file, as `kelter unpack` does; inspect, verify, diff and export read \
      OUT.kelter.zst as it is. FP8, int8 and int4 with groups of 64 or 128 shrink most.
      """)

  @Argument(help: "A .kelter file.")
  var path: FilePath

  @OptionGroup var archive: ArchiveOptions

  @Option(
    help: ArgumentHelp(
      "zstd's level, 1 to 19: weights hold hardly any repetitions, so that 19 saves 1 % at most.",
      valueName: "n"))
  var level = Archive.defaultLevel

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard PackedFrame.levels.contains(level) else {
      throw ValidationError("--level is 1 to 19, not \(level)")
    }
  }

  func run() throws {
    let reader = try ContainerReader(named: path)
    let progress = ProgressLine(quiet: output.quiet)
    Interruption.handleSignals()
    defer { progress.finish() }
    let summary = try Archive.pack(
      reader, to: archive.out ?? Archive.packedPath(of: path),
      level: level, threads: archive.threading.threads, force: archive.force
    ) { progress.update($0) }
    progress.finish()
    try show(summary) {
      let share = Double(summary.packedBytes) / Double(max(1, summary.unpackedBytes))
      return "\(summary.file), \(Figures.bytes(summary.packedBytes)),"
        + " \(Figures.fixed(100 * share, digits: 1)) % of \(Figures.bytes(summary.unpackedBytes)),"
        + " in \(summary.frames) frames\n"
    }
  }
}
