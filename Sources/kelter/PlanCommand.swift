import ArgumentParser
import Conversion
import Quantization
import SystemPackage
import Validation

struct PlanCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show every tensor's fate and the exact output size, without reading the weights.",
    discussion: """
      With --compare, a row for every scheme in place of one scheme's tensors: the exact size, and \
      the relative error ‖ŵ − w‖ / ‖w‖, measured on a sample of the weights. It takes seconds, \
      whatever the size of the checkpoint, and tells which schemes are worth trying.

        kelter plan V3/ --scheme int4-g64
        kelter plan V3/ --scheme int4-g64 -o /big/v3.kelter
        kelter plan V3/ --compare
        kelter plan V3/ --compare --schemes int4-g32,int4-g64,nvfp4 --recipe r.yaml
      """)

  @Argument(help: "A checkpoint folder, or one weight file.")
  var path: FilePath

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp(
      "The file that convert would write: its folder must have room for it.",
      discussion: "Without it, the room in the present folder is told.", valueName: "output"))
  var out: FilePath?

  @Option(
    help: ArgumentHelp(
      "How routed experts, shared experts and dense MLPs are stored.",
      discussion: "All other tensors keep the source's bytes unless a recipe says otherwise."))
  var scheme: Scheme?

  @Flag(help: "Compare schemes: exact sizes, and errors on a sample of the weights.")
  var compare = false

  @Option(
    help: ArgumentHelp(
      "Compare these, separated by commas, and not all.",
      discussion: """
        Rules of a recipe stay as they are; the scheme of all other MLP weights changes from row \
        to row.
        """, valueName: "a,b,…"))
  var schemes: String?

  @Option(
    help: ArgumentHelp(
      "How scales are searched where errors are measured, as by convert.",
      valueName: "search"))
  var search: ScaleSearch?

  @OptionGroup var recipe: RecipeOptions

  @Flag(help: "List every tensor, not only the sums.")
  var tensors = false

  @OptionGroup var threading: ThreadOptions

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard compare else {
      if scheme == nil {
        throw ValidationError(
          "--scheme is missing: \(Scheme.listing); or --compare, to see what each would do")
      }
      let needy = [
        ("--schemes", schemes != nil), ("--search", search != nil),
        ("--threads", threading.threads != nil),
      ]
      if let (name, _) = needy.first(where: \.1) {
        throw ValidationError("\(name) needs --compare: without it, nothing is measured")
      }
      return
    }
    if out != nil {
      throw ValidationError("-o does not go with --compare: there is an output for each scheme")
    }
    if scheme != nil || tensors {
      throw ValidationError(
        "--compare shows all schemes; --schemes a,b picks some, and --scheme and --tensors do not"
          + " go with it")
    }
    _ = try comparedSchemes()
  }

  func run() throws {
    let source = try Source(path: path, family: recipe.family)
    if compare {
      try show(comparison(of: source))
      return
    }
    let plan = try ConversionPlan(
      source: source, options: recipe.conversionOptions(scheme: scheme ?? .keep))
    let document = PlanDocument(plan: plan, room: try room(for: plan))
    try show(document) { text(document) }
  }

  /// A named output that would not fit is an error, as it is for `convert`.
  private func room(for plan: ConversionPlan) throws -> OutputRoom? {
    guard let out else { return try? OutputRoom(for: plan, at: nil) }
    let room = try OutputRoom(for: plan, at: out)
    try room.check()
    return room
  }

  /// The schemes that were asked for, in order, each once.
  private func comparedSchemes() throws -> [Scheme] {
    guard let schemes else { return Scheme.allCases }
    var found: [Scheme] = []
    for name in schemes.split(separator: ",", omittingEmptySubsequences: false) {
      guard let scheme = Scheme(rawValue: String(name)) else {
        throw ValidationError("no scheme '\(name)'; schemes are \(Scheme.listing)")
      }
      if !found.contains(scheme) { found.append(scheme) }
    }
    return found
  }

  private func comparison(of source: Source) throws -> SchemeComparison {
    var options = try recipe.conversionOptions(scheme: .keep)
    options.threads = threading.threads
    if let search { options.search = search }
    let progress = ProgressLine(quiet: output.quiet)
    Interruption.handleSignals()
    defer { progress.finish() }
    return try SchemeComparison(source: source, options: options, schemes: comparedSchemes()) {
      progress.update($0)
    }
  }

  private func show(_ comparison: SchemeComparison) throws {
    try show(comparison) { ComparisonText.text(comparison) }
  }

  private func text(_ plan: PlanDocument) -> String {
    var text = "\(plan.family) to \(plan.scheme)\n\n"
    if tensors {
      // One line each, however long, so that it can be searched.
      var table = TextTable([
        ("tensor", .left), ("shape", .right), ("from", .left), ("to", .left), ("size", .right),
        ("becomes", .right),
      ])
      for fate in plan.tensors {
        table.add([
          fate.name, fate.shape.map(String.init).joined(separator: "×"), fate.from,
          fate.treatment == "copy" ? "kept" : fate.to, Figures.bytes(fate.sourceBytes),
          Figures.bytes(fate.outputBytes),
        ])
      }
      text += table.text()
    } else {
      var table = TextTable([
        ("role", .left), ("tensors", .right), ("from", .left), ("to", .left), ("size", .right),
        ("becomes", .right),
      ])
      for row in plan.summaries() {
        // What it is; --tensors tells the scales too.
        let from = row.from.prefix { $0 != "(" }.split(separator: ", ").prefix(2)
        table.add([
          row.role, "\(row.count)", from.joined(separator: ", "),
          row.scheme == "keep" ? "kept" : row.scheme, Figures.bytes(row.sourceBytes),
          Figures.bytes(row.outputBytes),
        ])
      }
      text += table.text(width: TextTable.terminalWidth)
    }
    text += "\nsource  \(Figures.bytes(plan.sourceBytes)) (\(plan.sourceBytes) bytes)\n"
    text += "output  \(Figures.bytes(plan.outputBytes)) (\(plan.outputBytes) bytes, exactly)\n"
    text += "bits    "
    if let bits = plan.bitsPerWeight {
      text += "\(Figures.fixed(bits, digits: 3)) per quantized weight, "
    }
    text += "\(Figures.fixed(plan.fileBitsPerWeight, digits: 3)) per weight of the file\n"
    if let room = plan.room {
      let place = room.folder == "." ? "the present folder" : room.folder
      text += "room    \(Figures.bytes(room.freeBytes)) are free in \(place)"
      text += room.isEnough ? "\n" : ": too little\n"
    }
    if !plan.notes.isEmpty { text += "\n" }
    for note in plan.notes {
      text += "note: \(note)".wrapped(toColumn: TextTable.terminalWidth, indent: 6)
    }
    return text
  }
}
