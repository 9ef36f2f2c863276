public import ArgumentParser
import Container
public import Conversion
import SystemPackage
import Validation

extension ExportFormat: ExpressibleByArgument {}

struct ExportCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write the dequantized weights as a Hugging Face folder of safetensors.")

  @Argument(help: "A .kelter file.")
  var path: FilePath

  @Option(name: [.short, .customLong("output")], help: "The folder to write; it must not exist.")
  var out: FilePath

  @Option(help: "The dtype of the weights: f32 (every number exactly) or bf16 (rounded).")
  var format: ExportFormat

  @OptionGroup var threading: ThreadOptions

  @OptionGroup var output: OutputOptions

  func run() throws {
    let progress = ProgressLine(quiet: output.quiet)
    Interruption.handleSignals()
    defer { progress.finish() }
    let exporter = Exporter(
      reader: try ContainerReader(named: path), format: format, threads: threading.threads
    )
    let summary = try exporter.export(to: out) { progress.update($0) }
    progress.finish()
    try show(summary) {
      "\(summary.tensors) tensors, \(Figures.bytes(summary.bytes)) as \(summary.format)"
        + " in \(summary.shards) file(s): \(summary.folder)\n"
    }
  }
}
