import Bytes
import Container
import ModelFamilies
import Quantization
import SourceWeights
import Tensors

/// A plan as `kelter plan` shows it. formats/plan.schema.json describes the JSON form.
public struct PlanDocument: Sendable, Codable, Equatable {
  public var family: String
  public var scheme: String
  /// The weight files of the source in bytes.
  public var sourceBytes: Int
  /// The exact size of the output in bytes.
  public var outputBytes: Int
  public var bitsPerWeight: Double?
  public var fileBitsPerWeight: Double
  /// The extents of the output.
  public var extents: Int
  /// Every tensor's fate, by name.
  public var tensors: [Fate]
  public var notes: [String]
  /// The room where the output would be written; nil if its file system does not tell.
  public var room: OutputRoom?

  /// What becomes of one weight and the scales that belong to it.
  public struct Fate: Sendable, Codable, Equatable {
    public var name: String
    public var role: String
    public var layer: Int?
    public var expert: Int?
    public var shape: [Int]
    /// How the source stores it.
    public var from: String
    /// How the output stores it.
    public var to: String
    public var scheme: String
    /// `copy`, `round` or `quantize`.
    public var treatment: String
    public var sourceBytes: Int
    public var outputBytes: Int

    enum CodingKeys: String, CodingKey {
      case name, role, layer, expert, shape, from, to, scheme, treatment
      case sourceBytes = "source_bytes"
      case outputBytes = "output_bytes"
    }
  }

  /// Weights of the same fate.
  public struct Summary: Sendable, Equatable {
    public let role: String
    public let from: String
    public let to: String
    public let scheme: String
    public let count: Int
    public let sourceBytes: Int
    public let outputBytes: Int
  }

  enum CodingKeys: String, CodingKey {
    case family, scheme, extents, tensors, notes, room
    case sourceBytes = "source_bytes"
    case outputBytes = "output_bytes"
    case bitsPerWeight = "bits_per_weight"
    case fileBitsPerWeight = "file_bits_per_weight"
  }

  public init(plan: ConversionPlan, room: OutputRoom?) {
    self.room = room
    family = plan.source.description.familyName
    scheme = plan.options.scheme.rawValue
    sourceBytes = plan.source.byteCount
    outputBytes = plan.container.byteCount
    bitsPerWeight = plan.bitsPerWeight
    fileBitsPerWeight = plan.fileBitsPerWeight
    extents = plan.container.extents.count
    notes = plan.notes
    tensors = plan.units.enumerated().flatMap { extent, unit in
      unit.weights.enumerated().map { index, weight in
        Fate(
          name: weight.source.name, role: weight.role.rawValue, layer: weight.layer,
          expert: weight.expert, shape: weight.shape.dimensions,
          from: weight.source.summary, to: weight.storedAs,
          scheme: weight.scheme.rawValue, treatment: weight.treatment.name,
          sourceBytes: weight.sourceByteCount,
          outputBytes: plan.container.byteRange(ofTensor: index, inExtent: extent).count)
      }
    }.sorted { $0.name.utf8Precedes($1.name) }
  }

  /// The fates summed up, most bytes first.
  public func summaries() -> [Summary] {
    let groups = Dictionary(grouping: tensors) { [$0.role, $0.from, $0.to, $0.scheme] }
    return groups.map { key, fates in
      Summary(
        role: key[0], from: key[1], to: key[2], scheme: key[3], count: fates.count,
        sourceBytes: fates.reduce(0) { $0 + $1.sourceBytes },
        outputBytes: fates.reduce(0) { $0 + $1.outputBytes })
    }.sorted { ($1.sourceBytes, $0.role, $0.from) < ($0.sourceBytes, $1.role, $1.from) }
  }
}

extension PlannedWeight {
  /// How the output stores it, as people name it.
  var storedAs: String {
    switch encoding {
    case .plain(let dtype): dtype.rawValue
    case .quantized(let format): format.summary
    }
  }
}

extension PlannedWeight.Treatment {
  var name: String {
    switch self {
    case .copy: "copy"
    case .round: "round"
    case .quantize: "quantize"
    }
  }
}
