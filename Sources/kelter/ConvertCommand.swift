import ArgumentParser
import Conversion
import Quantization
import SystemPackage
import Validation

struct ConvertCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Quantize a checkpoint, measure the loss, and publish it if it is within the budget.",
    discussion: """
        kelter convert V3/ -o v3.kelter --scheme int4-g64
        kelter convert V3/ -o v3.kelter --scheme int4-g64 --tokens text.npy --budget b.yaml

      The report lies beside the output as OUT.report.json, in place of an older one, whatever the \
      verdict. Over the budget, nothing is published and the exit code is 1; `kelter --help` lists \
      all exit codes.

      A run that ends before its time leaves OUT.kelter.partial and OUT.kelter.journal; the same \
      command goes on from there, and ends in the same bytes and figures. If the source, the \
      scheme or the recipe has changed meanwhile, it says so and stops.
      """)

  @Argument(help: "A checkpoint folder, or one weight file.")
  var path: FilePath

  @Option(name: [.short, .customLong("output")], help: "The file to write, as OUT.kelter.")
  var out: FilePath

  @OptionGroup var schemeOptions: SchemeOptions

  @Option(help: "How hard to look for the scales with the least error; absmax does not look.")
  var search = ScaleSearch.full

  @OptionGroup var measurement: MeasurementOptions

  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp(
      "Measure the layers and let the budget decide; weight errors are measured anyway.",
      discussion: "--no-gate goes with none of --budget, --tokens, --token-count and --seed."))
  var gate = true

  @Flag(help: "Replace an output that exists.")
  var force = false

  @Flag(help: "Drop what an interrupted run has done instead of going on from there.")
  var restart = false

  @Flag(
    name: .customLong("allow-nonfinite"),
    help: """
      Go on where weights are NaN or infinite: quantized, NaN counts as 0 and infinities saturate; \
      what keeps its bytes keeps them.
      """)
  var allowNonFinite = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if !gate, let name = measurement.ofLayers.first {
      throw ValidationError(
        "\(name) needs the gate: with --no-gate no layer is measured and nothing decided")
    }
    let recipe = schemeOptions.recipe
    let files = [("--recipe", recipe.recipe), ("--importance", recipe.importance)]
    try checkIsApart("--output", out, from: measurement.files + files)
    try checkIsApart("--report", measurement.report, from: files + [("--output", out)])
  }

  func run() throws {
    var options = try schemeOptions.conversionOptions()
    try measurement.apply(to: &options)
    options.search = search
    options.gate = gate
    options.force = force
    options.restart = restart
    options.allowsNonFinite = allowNonFinite

    let source = try Source(path: path, family: schemeOptions.recipe.family)
    let plan = try ConversionPlan(source: source, options: options)
    try measurement.report.map { try source.checkIsNotPart($0) }
    let beside = ConversionPlan.reportPath(of: out)
    // From here on there are files to keep or to clear away.
    Interruption.handleSignals()
    // The report is written there anyway.
    let reportFile = try measurement.report
      .flatMap { $0.isSamePlace(as: beside) ? nil : $0 }
      .map { try ReportFile($0) }
    let progress = ProgressLine(quiet: output.quiet)
    defer { progress.finish() }
    let report = try plan.convert(
      to: out, progress: { progress.update($0) }, notice: { progress.note($0) })
    progress.finish()
    try reportFile?.publish(report)
    try show(report) { ReportText.summary(of: report, output: out.string) + "report  \(beside)\n" }
    if !report.budget.passed { throw overBudget(report) }
  }
}
