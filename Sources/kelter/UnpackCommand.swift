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
  var path: FilePath

  @OptionGroup var archive: ArchiveOptions

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if archive.out == nil, Archive.unpackedPath(of: path) == nil {
      throw ValidationError("\(path) does not end with .zst: name the file to write with -o")
    }
  }

  func run() throws {
    let reader = try ContainerReader(named: path)
    let progress = ProgressLine(quiet: output.quiet)
    Interruption.handleSignals()
    defer { progress.finish() }
    guard let place = archive.out ?? Archive.unpackedPath(of: path)
    else {
      return
    }
    let summary = try Archive.unpack(
      reader, to: place, threads: archive.threading.threads, force: archive.force
    ) {
      progress.update($0)
    }
    progress.finish()
    try show(summary) { "\(summary.file), \(Figures.bytes(summary.unpackedBytes))\n" }
  }
}
