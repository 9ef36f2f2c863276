import Bytes
import Container
import SystemPackage
import Validation

/// The figures of an output by what they measure, from its container or its report.
struct FigureTable {
  struct Key: Hashable, CustomStringConvertible {
    let metric: String
    let location: String

    /// Whether more of it is better.
    var growsWhenBetter: Bool { metric == "layers.routing_agreement" || metric == "layers.cosine" }
    var description: String { "\(metric) \(location)" }
  }

  /// The size of the output in bytes.
  private(set) var byteCount: Int
  /// All finite figures, in the order in which they are stored.
  private(set) var list: [(key: Key, value: Double)] = []
  private var values: [Key: Double] = [:]

  subscript(key: Key) -> Double? { values[key] }

  /// Reads a `.kelter` file or a report in JSON.
  init(path: FilePath) throws {
    if path.extension == "json" {
      let file = try File(path: path)
      let report = try Report(
        json: file.bytes(in: 0..<file.byteCount), file: path.string)
      byteCount = report.bytes.output
      add(report)
    } else {
      let reader = try ContainerReader(path: path)
      byteCount = reader.byteCount
      let tensors = try reader.allTensors()
      let shared = Self.sharedNames(tensors.map(\.name))
      for tensor in tensors {
        guard let record = try reader.errorRecord(ofTensor: tensor.index) else { continue }
        let location =
          shared.contains(tensor.name)
          ? Self.location(tensor.name, expert: tensor.expert, role: tensor.role) : tensor.name
        add("weights.relative_error", location, record.relativeError)
      }
    }
  }

  /// The names that several weights have: the matrices of a tensor that holds them all.
  private static func sharedNames(_ names: [String]) -> Set<String> {
    Set(Dictionary(grouping: names) { $0 }.filter { $0.value.count > 1 }.keys)
  }

  private static func location(_ name: String, expert: Int?, role: String) -> String {
    name + (expert.map { " expert \($0)" } ?? "") + " \(role)"
  }

  private mutating func add(_ report: Report) {
    let shared = Self.sharedNames(report.weights.map(\.name))
    for weight in report.weights {
      let location =
        shared.contains(weight.name)
        ? Self.location(weight.name, expert: weight.expert, role: weight.role) : weight.name
      add("weights.relative_error", location, weight.relativeError)
    }
    for layer in report.layers {
      let location = "layer \(layer.layer)"
      add("layers.relative_error", location, layer.relativeError)
      add("layers.cumulative_relative_error", location, layer.cumulativeRelativeError)
      add("layers.cosine", location, layer.cosine)
      add("layers.routing_agreement", location, layer.routingAgreement)
      for expert in layer.experts {
        add("experts.relative_error", "\(location) expert \(expert.expert)", expert.relativeError)
      }
    }
  }

  private mutating func add(_ metric: String, _ location: String, _ value: Double?) {
    guard let value, value.isFinite else { return }
    let key = Key(metric: metric, location: location)
    list.append((key, value))
    values[key] = value
  }
}
