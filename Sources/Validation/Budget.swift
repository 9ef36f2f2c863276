import Yams

/// How much may be lost. A figure above its limit (below it, for the routing agreement and the
/// cosine) is a violation; so is any figure that is not finite, whatever the limits.
public struct Budget: Sendable, Equatable {
  /// Limits of each quantized weight.
  public var weights: [WeightMetric: Double]
  /// Limits of each layer's output.
  public var layers: [LayerMetric: Double]
  /// Limits of each routed expert's output.
  public var experts: [ExpertMetric: Double]
  /// Limits of the size.
  public var size: [SizeMetric: Double]
  /// Whether limits also follow from each weight's scheme: 2.5 times the scheme's error on normal
  /// weights for a weight, 4 times for a layer or expert. Catches what is broken, no more.
  public var followsSchemes: Bool

  /// The budget that holds where none is given.
  public static let `default` = Budget(
    weights: [:], layers: [:], experts: [:], size: [:], followsSchemes: true)

  public enum WeightMetric: String, Sendable, CaseIterable {
    case relativeError = "relative_error"
    case maximumAbsoluteError = "max_absolute_error"
    case zeroedShare = "zeroed_share"
    case clippedShare = "clipped_share"
    /// A lower limit.
    case snrDb = "snr_db"
  }

  public enum LayerMetric: String, Sendable, CaseIterable {
    case relativeError = "relative_error"
    case cumulativeRelativeError = "cumulative_relative_error"
    /// A lower limit.
    case cosine
    /// A lower limit.
    case routingAgreement = "routing_agreement"
  }

  public enum ExpertMetric: String, Sendable, CaseIterable {
    case relativeError = "relative_error"
  }

  public enum SizeMetric: String, Sendable, CaseIterable {
    case bitsPerWeight = "bits_per_weight"
    case fileBitsPerWeight = "file_bits_per_weight"
  }
}

extension Budget {
  /// Reads a budget in YAML: the sections `weights`, `layers`, `experts` and `size`, each a mapping
  /// from a metric to a limit. The default budget's checks hold as well.
  /// - Throws: `ValidationError.invalidBudget`, also for words that mean nothing here.
  public init(yaml: String, file: String) throws(ValidationError) {
    func invalid(_ reason: String) -> ValidationError { .invalidBudget(file: file, reason: reason) }
    let root: Node?
    do {
      root = try YAMLDocument(yaml).root
    } catch {
      throw invalid(error.reason)
    }
    self = .default
    guard let root else { throw invalid("it is empty") }
    guard let sections = root.mapping else { throw invalid("it is no mapping of sections") }

    func limits<Metric: RawRepresentable<String> & CaseIterable & Hashable>(
      _ node: Node, section: String, of metric: Metric.Type
    ) throws(ValidationError) -> [Metric: Double] {
      guard let mapping = node.mapping else {
        throw invalid("'\(section)' is no mapping from metrics to limits")
      }
      var limits: [Metric: Double] = [:]
      for (key, value) in mapping {
        guard let name = key.string, let metric = Metric(rawValue: name) else {
          let known = Metric.allCases.map(\.rawValue).joined(separator: ", ")
          throw invalid("'\(section)' has no metric '\(key.string ?? "?")', but: \(known)")
        }
        guard let limit = value.float, limit.isFinite, limit >= 0 else {
          throw invalid("the limit of '\(section).\(name)' is no number from 0")
        }
        if limit > 1, name == "cosine" || name == "routing_agreement" || name.hasSuffix("_share") {
          throw invalid(
            "the limit of '\(section).\(name)' is no share from 0 to 1, such as 0.85 for 85 %")
        }
        limits[metric] = limit
      }
      return limits
    }

    for (key, node) in sections {
      switch key.string {
      case "weights": weights = try limits(node, section: "weights", of: WeightMetric.self)
      case "layers": layers = try limits(node, section: "layers", of: LayerMetric.self)
      case "experts": experts = try limits(node, section: "experts", of: ExpertMetric.self)
      case "size": size = try limits(node, section: "size", of: SizeMetric.self)
      default:
        throw invalid(
          "'\(key.string ?? "?")' is no section; those are weights, layers, experts and size")
      }
    }
  }
}
