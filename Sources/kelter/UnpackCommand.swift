import ArgumentParser
import Container
import Conversion
import SystemPackage
import Validation

struct UnpackCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "unpack",
    abstract: "Restore a .kelter file from what `kelter pack` made, and check it.",
    discussion: """
      Frames are compared with the checksums of the seek table, and the file with its own before \
      it gets its name. A damaged archive is refused by frame.
      """)

  @Argument(help: "A packed file, as OUT.kelter.zst.")
  var path: String

  @Option(
    name: [.short, .customLong("output")],
    help: "The file to write; without it, the name of the packed file without .zst.")
  var out: String?

  @Option(help: ArgumentHelp("The number of threads; without it, one per core.", valueName: "n"))
  var threads: Int?

  @Flag(help: "Replace an output that exists.")
  var force = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    try ThreadCount.validate(threads)
    if out == nil, Archive.unpackedPath(of: FilePath(path)) == nil {
      throw ValidationError("\(path) does not end with .zst: name the file to write with -o")
    }
  }

  func run() throws {
    let reader = try ContainerReader(path: FilePath(path))
    let progress = ProgressLine(quiet: output.quiet)
    Interruption.handleSignals()
    defer { progress.finish() }
    guard let place = out.map({ FilePath($0) }) ?? Archive.unpackedPath(of: FilePath(path)) else {
      return
    }
    let summary = try Archive.unpack(reader, to: place, threads: threads, force: force) {
      progress.update($0)
    }
    progress.finish()
    try show(summary) { "\(summary.file), \(Figures.bytes(summary.unpackedBytes))\n" }
  }
}
