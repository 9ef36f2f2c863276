public import Quantization

extension Scheme {
  /// The relative error on seeded normal weights in rows of 4096, with a full search: what a weight
  /// of no special kind loses. Zero where nothing is lost. Tests measure it again.
  public var relativeErrorOnNormalWeights: Double {
    switch self {
    case .fp8E4M3Block128: 0.0262
    case .fp8E4M3Channel: 0.0259
    case .fp8E4M3Tensor: 0.0264
    case .int8Channel: 0.0085
    case .int4G32: 0.0811
    case .int4G64: 0.0898
    case .int4G128: 0.0966
    case .int4AsymmetricG32: 0.0766
    case .int4AsymmetricG64: 0.0868
    case .int4AsymmetricG128: 0.0949
    case .mxfp4: 0.1116
    case .mxfp8: 0.0265
    case .nvfp4: 0.0811
    case .lut4G32: 0.0731
    case .lut4G32K2: 0.0702
    case .lut4G16: 0.0632
    case .lut4G16K2: 0.0597
    case .lut3G16: 0.1334
    case .lut3G16K2: 0.1260
    case .bf16: 0.00166
    case .keep: 0
    }
  }
}

extension Budget {
  /// A weight may lose this many times its scheme's error on normal weights.
  static let weightFactor = 2.5
  /// A layer or expert may lose this many times its schemes' largest error on normal weights.
  static let layerFactor = 4.0
  /// What two summations of the same Float32 products may differ by.
  static let productRounding = 1e-5

  /// Compares a report's figures with the limits, in the report's order.
  /// - Parameter layerErrors: for each layer, the largest error on normal weights of the schemes of
  ///   its MLP.
  public func violations(
    weights weightEntries: [Report.WeightEntry], layers layerEntries: [Report.LayerEntry],
    bytes: Report.ByteCounts, layerErrors: [Int: Double]
  ) -> [Report.Violation] {
    var found = Findings()

    for entry in weightEntries {
      var limits = weights
      if followsSchemes, let scheme = Scheme(rawValue: entry.scheme) {
        let limit = scheme.relativeErrorOnNormalWeights * Self.weightFactor
        limits[.relativeError] = min(limits[.relativeError] ?? .infinity, limit)
      }
      if entry.relativeError == nil { limits[.relativeError] = limits[.relativeError] ?? .infinity }
      for metric in WeightMetric.allCases {
        guard let limit = limits[metric] else { continue }
        let name = "weights.\(metric.rawValue)"
        switch metric {
        case .relativeError: found.above(limit, entry.relativeError, name, entry.name)
        case .maximumAbsoluteError: found.above(limit, entry.maximumAbsoluteError, name, entry.name)
        case .zeroedShare: found.above(limit, entry.zeroedShare, name, entry.name)
        case .clippedShare: found.above(limit, entry.clippedShare, name, entry.name)
        case .snrDb:
          // No noise at all has no finite ratio.
          if entry.relativeError != 0 { found.below(limit, entry.snrDb, name, entry.name) }
        }
      }
    }

    for entry in layerEntries {
      let location = "layer \(entry.layer)"
      let schemeLimit =
        followsSchemes
        ? layerErrors[entry.layer].map { $0 * Self.layerFactor + Self.productRounding } : nil
      let limit = min(layers[.relativeError] ?? .infinity, schemeLimit ?? .infinity)
      found.above(limit, entry.relativeError, "layers.relative_error", location)
      if entry.input == "tokens" {
        found.above(
          layers[.cumulativeRelativeError] ?? .infinity, entry.cumulativeRelativeError,
          "layers.cumulative_relative_error", location)
      }
      if let limit = layers[.cosine] {
        found.below(limit, entry.cosine, "layers.cosine", location)
      }
      if let limit = layers[.routingAgreement], let agreement = entry.routingAgreement {
        found.below(limit, agreement, "layers.routing_agreement", location)
      }
      let expertLimit = min(experts[.relativeError] ?? .infinity, schemeLimit ?? .infinity)
      for expert in entry.experts {
        found.above(
          expertLimit, expert.relativeError, "experts.relative_error",
          "\(location) expert \(expert.expert)")
      }
    }

    if let limit = size[.bitsPerWeight] {
      found.above(limit, bytes.bitsPerWeight, "size.bits_per_weight", "output")
    }
    if let limit = size[.fileBitsPerWeight] {
      found.above(limit, bytes.fileBitsPerWeight, "size.file_bits_per_weight", "output")
    }
    return found.violations
  }

  private struct Findings {
    var violations: [Report.Violation] = []

    mutating func add(_ limit: Double, _ value: Double?, _ metric: String, _ location: String) {
      // A figure that is not finite breaks every limit, even one that was not set.
      let limit = limit.isFinite ? limit : .greatestFiniteMagnitude
      violations.append(.init(metric: metric, value: value, limit: limit, location: location))
    }

    mutating func above(_ limit: Double, _ value: Double?, _ metric: String, _ location: String) {
      if value.map({ $0 > limit }) ?? true { add(limit, value, metric, location) }
    }

    mutating func below(_ limit: Double, _ value: Double?, _ metric: String, _ location: String) {
      if value.map({ $0 < limit }) ?? true { add(limit, value, metric, location) }
    }
  }
}
