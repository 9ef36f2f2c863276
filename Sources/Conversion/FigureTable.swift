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
      for tensor in try reader.allTensors() {
        guard let record = try reader.errorRecord(ofTensor: tensor.index) else { continue }
        add("weights.relative_error", tensor.name, record.relativeError)
      }
    }
  }

  private mutating func add(_ report: Report) {
    for weight in report.weights {
      add("weights.relative_error", weight.name, weight.relativeError)
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
