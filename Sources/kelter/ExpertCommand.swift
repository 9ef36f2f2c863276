import ArgumentParser
import Conversion
import SystemPackage
import Validation

struct ExpertCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "expert",
    abstract: "Show where one routed expert lies in a .kelter file, as an engine pages it in.",
    discussion: """
      An expert is one stretch of whole 16 KiB pages, found by binary search in the mapped index: \
      the time does not grow with the file. formats/container.md tells how its bytes lie.

        kelter expert v3.kelter --layer 3 --expert 7
      """)

  @Argument(help: "A .kelter file.")
  var path: FilePath

  @Option(help: ArgumentHelp("The layer, counted from 0.", valueName: "n"))
  var layer: Int

  @Option(help: ArgumentHelp("The routed expert, counted from 0.", valueName: "n"))
  var expert: Int

  @Option(
    help: ArgumentHelp(
      "How often to open the file and find the expert, to tell the time it takes.", valueName: "n"))
  var runs = 1

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (1...1_000_000).contains(runs) else {
      throw ValidationError("--runs must be from 1 to 1000000")
    }
  }

  func run() throws {
    let place = try ExpertPlace(path: path, layer: layer, expert: expert, runs: runs)
    try show(place) { text(place) }
  }

  private func text(_ place: ExpertPlace) -> String {
    var table = TextTable([
      ("tensor", .left), ("role", .left), ("scheme", .left), ("shape", .left), ("offset", .right),
      ("bytes", .right),
    ])
    for tensor in place.tensors {
      table.add([
        tensor.name, tensor.role, tensor.scheme,
        tensor.shape.map(String.init).joined(separator: " × "), String(tensor.offset),
        String(tensor.bytes),
      ])
    }
    let median = place.microseconds[place.microseconds.count / 2]
    return """
      layer \(place.layer), expert \(place.expert): \(place.bytes) bytes at \(place.offset), \
      \(place.usedBytes) of them used

      \(table.text(width: TextTable.terminalWidth))
      file opened and expert found in \(Figures.fixed(median, digits: 0)) µs\
      \(runs > 1 ? ", the median of \(runs) runs" : "")

      """
  }
}
