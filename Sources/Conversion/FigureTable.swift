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
    var growsWhenBetter: Bool {
      metric == "layers.routing_agreement" || metric == "layers.cosine"
        || metric == "weights.snr_db"
    }
    var description: String { "\(metric) \(location)" }
  }

  /// The size of the output in bytes.
  private(set) var byteCount: Int
  /// What they were measured on.
  private(set) var basis = MeasurementBasis()
  /// All figures, in the order in which they are stored. One that is no number is the worst that
  /// it can be, an infinity.
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
      basis = MeasurementBasis(report)
      add(report)
    } else {
      let reader = try ContainerReader(named: path)
      byteCount = reader.byteCount
      basis = MeasurementBasis(sources: try reader.sources())
      let tensors = try reader.allTensors()
      let shared = Self.sharedNames(tensors.map(\.name))
      for tensor in tensors {
        guard let record = try reader.errorRecord(ofTensor: tensor.index) else { continue }
        let location =
          shared.contains(tensor.name)
          ? Self.location(tensor.name, expert: tensor.expert, role: tensor.role) : tensor.name
        add(
          weight: location, relativeError: record.relativeError,
          snr: record.signalToQuantizationNoise,
          maximumAbsoluteError: record.maximumAbsoluteError, zeroedShare: record.zeroedShare,
          clippedShare: record.clippedShare)
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
      // A report has infinities as no figure; nothing lost is one.
      add(
        weight: location, relativeError: weight.relativeError,
        snr: weight.snrDb ?? (weight.relativeError == 0 ? .infinity : nil),
        maximumAbsoluteError: weight.maximumAbsoluteError, zeroedShare: weight.zeroedShare,
        clippedShare: weight.clippedShare)
    }
    for layer in report.layers {
      let location = "layer \(layer.layer)"
      add("layers.relative_error", location, layer.relativeError)
      // A seeded layer has none of what comes from the streams, a dense one no routing.
      if layer.input == "tokens" {
        add("layers.cumulative_relative_error", location, layer.cumulativeRelativeError)
      }
      add("layers.cosine", location, layer.cosine)
      if let agreement = layer.routingAgreement {
        add("layers.routing_agreement", location, agreement)
      }
      for expert in layer.experts {
        add("experts.relative_error", "\(location) expert \(expert.expert)", expert.relativeError)
      }
    }
  }

  private mutating func add(
    weight location: String, relativeError: Double?, snr: Double?, maximumAbsoluteError: Double?,
    zeroedShare: Double, clippedShare: Double
  ) {
    add("weights.relative_error", location, relativeError)
    add("weights.snr_db", location, snr)
    add("weights.max_absolute_error", location, maximumAbsoluteError)
    add("weights.zeroed_share", location, zeroedShare)
    add("weights.clipped_share", location, clippedShare)
  }

  private mutating func add(_ metric: String, _ location: String, _ figure: Double?) {
    let key = Key(metric: metric, location: location)
    let worst = key.growsWhenBetter ? -Double.infinity : .infinity
    let value = figure.flatMap { $0.isNaN ? nil : $0 } ?? worst
    list.append((key, value))
    values[key] = value
  }
}
