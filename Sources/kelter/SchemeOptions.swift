public import ArgumentParser
import Bytes
import Conversion
public import Quantization
import SystemPackage
import Validation

extension Scheme: ExpressibleByArgument {}
extension ScaleSearch: ExpressibleByArgument {}

/// The scheme and what decides beside it.
struct SchemeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How routed experts, shared experts and dense MLPs are stored.",
      discussion: """
        All other tensors keep the source's bytes unless a recipe says otherwise. `kelter plan \
        PATH --compare` shows what each scheme does to size and error.
        """))
  var scheme: Scheme

  @OptionGroup var recipe: RecipeOptions

  /// The options of a conversion, as far as these go.
  func conversionOptions() throws -> ConversionOptions {
    try recipe.conversionOptions(scheme: scheme)
  }
}

/// What decides the fate of the tensors beside the scheme.
struct RecipeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A YAML file of rules for single tensors and roles; the first that matches decides.",
      discussion: """
        rules:
          - {tensors: "*.layers.3.mlp.experts.*", scheme: fp8-e4m3-b128}
          - {role: expert.down, scheme: int4-g32}
        """,
      valueName: "file.yaml"))
  var recipe: FilePath?

  @Option(
    help: ArgumentHelp(
      "How much the columns' errors count when scales are searched.",
      discussion: """
        A safetensors file with a vector of as many numbers (F32, BF16 or F16, not negative) as a \
        tensor has columns, such as the mean square of its inputs, under the tensor's name. \
        Tensors without one, or with zeros only, count all columns alike.
        """,
      valueName: "file.safetensors"))
  var importance: FilePath?

  @Option(help: "Take this family, whatever the config says.")
  var family: String?

  @Flag(help: "Store a SHA-256 digest of every extent beside its checksum.")
  var sha256 = false

  /// The options of a conversion, as far as these go.
  func conversionOptions(scheme: Scheme) throws -> ConversionOptions {
    var options = ConversionOptions(scheme: scheme)
    if let recipe {
      options.recipe = try Recipe(yaml: TextFile.read(recipe), file: recipe.string)
    }
    if let importance { options.importance = try Importance(path: importance) }
    options.sha256 = sha256
    return options
  }
}

/// How layers are measured; `convert` and `verify --against` take the same.
struct MeasurementOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Limits on errors and sizes: over one of them, the exit code is 1.",
      discussion: """
        weights: {relative_error: 0.12}
        layers:  {relative_error: 0.20, routing_agreement: 0.85}
        experts: {relative_error: 0.25}
        size:    {bits_per_weight: 4.6}
        """,
      valueName: "file.yaml"))
  var budget: FilePath?

  @Option(
    help: ArgumentHelp(
      "Token ids that the layers are measured on: 'input_ids', I32 or I64.",
      discussion: """
        A .safetensors, .npz or .npy file. Text that the model is meant for tells most; without \
        this, the ids are drawn at random.
        """,
      valueName: "file"))
  var tokens: FilePath?

  @Option(
    help: ArgumentHelp("How many of the token ids are used. (default: 256)", valueName: "n"))
  var tokenCount: Int?

  @Option(
    help: ArgumentHelp(
      "Which random ids and inputs are drawn: the same number, the same ones. (default: 0)",
      valueName: "n"))
  var seed: UInt64?

  @OptionGroup var threading: ThreadOptions

  @Option(
    help: ArgumentHelp("What the run may hold in memory, as 512MiB or 2GiB.", valueName: "size"))
  var memoryLimit = ByteSize(byteCount: 2 << 30)

  @Option(
    help: ArgumentHelp(
      "Write the report here too: .json, .md or .xml (JUnit), by its ending.", valueName: "file"))
  var report: FilePath?

  func validate() throws {
    guard tokenCount.map({ (1...1_048_576).contains($0) }) ?? true else {
      throw ValidationError("--token-count must be 1 to 1048576")
    }
    if let report { _ = try ReportForm(fileName: report.string) }
    try checkIsApart("--report", report, from: files)
  }

  /// The files that are read.
  var files: [(option: String, path: FilePath?)] { [("--budget", budget), ("--tokens", tokens)] }

  /// Those that were given and mean nothing unless layers are measured.
  var ofLayers: [String] {
    [
      ("--budget", budget != nil), ("--tokens", tokens != nil),
      ("--token-count", tokenCount != nil), ("--seed", seed != nil),
    ].filter(\.1).map(\.0)
  }

  /// Puts these into the options of a conversion.
  func apply(to options: inout ConversionOptions) throws {
    if let budget { options.budget = try Budget(yaml: TextFile.read(budget), file: budget.string) }
    options.tokens = tokens
    if let tokenCount { options.tokenCount = tokenCount }
    if let seed { options.seed = seed }
    options.threads = threading.threads
    options.memoryLimit = memoryLimit.byteCount
  }
}
