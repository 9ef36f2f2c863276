/// What a conversion or a verification found, as it is written to a report.
///
/// The JSON form is specified by formats/report.schema.json. A figure that is not finite is absent
/// there, and is always a violation of the budget.
public struct Report: Sendable, Codable, Equatable {
  /// The version of this structure; it grows when a reader of the old one would misread the new.
  public static let version = 1

  public var reportVersion = Report.version
  /// The version of Kelter that measured.
  public var kelter: String
  public var source: Source
  /// The scheme that was asked for; a recipe may have changed it tensor by tensor.
  public var scheme: String
  /// How scales were searched: `absmax`, `fast` or `full`.
  public var search: String
  /// The text of the recipe, if one was used.
  public var recipe: String?
  public var bytes: ByteCounts
  public var measurement: Measurement
  /// One entry per source tensor that was quantized.
  public var weights: [WeightEntry]
  /// One entry per layer with an MLP; empty without the gate.
  public var layers: [LayerEntry]
  public var budget: BudgetResult
  /// What the reader should know, such as layers that are declared and absent.
  public var notes: [String]

  public init(
    kelter: String, source: Source, scheme: String, search: String, recipe: String?,
    bytes: ByteCounts, measurement: Measurement, weights: [WeightEntry], layers: [LayerEntry],
    budget: BudgetResult, notes: [String]
  ) {
    self.kelter = kelter
    self.source = source
    self.scheme = scheme
    self.search = search
    self.recipe = recipe
    self.bytes = bytes
    self.measurement = measurement
    self.weights = weights
    self.layers = layers
    self.budget = budget
    self.notes = notes
  }

  /// The checkpoint that was read.
  public struct Source: Sendable, Codable, Equatable {
    /// The family as people know it.
    public var family: String
    public var files: [SourceFile]

    public init(family: String, files: [SourceFile]) {
      self.family = family
      self.files = files
    }
  }

  /// A weight file of the checkpoint.
  public struct SourceFile: Sendable, Codable, Equatable {
    public var name: String
    public var bytes: Int
    /// XXH3-64 of the header, 16 hexadecimal digits.
    public var headerChecksum: String
    /// XXH3-64 over the checksums of the tensors that were read, 16 hexadecimal digits; absent
    /// where the file was not read whole. formats/container.md defines it.
    public var checksum: String?

    public init(name: String, bytes: Int, headerChecksum: String, checksum: String?) {
      self.name = name
      self.bytes = bytes
      self.headerChecksum = headerChecksum
      self.checksum = checksum
    }
  }

  /// Sizes.
  public struct ByteCounts: Sendable, Codable, Equatable {
    /// The weight files of the source.
    public var source: Int
    /// The output file.
    public var output: Int
    /// 8 × (codes + scales + zero points + tables) / quantized weights; nil if none is quantized.
    public var bitsPerWeight: Double?
    /// 8 × the output file / all weights of the source.
    public var fileBitsPerWeight: Double

    public init(source: Int, output: Int, bitsPerWeight: Double?, fileBitsPerWeight: Double) {
      self.source = source
      self.output = output
      self.bitsPerWeight = bitsPerWeight
      self.fileBitsPerWeight = fileBitsPerWeight
    }
  }

  /// How the layers were measured.
  public struct Measurement: Sendable, Codable, Equatable {
    /// Whether layers were measured and the budget decided.
    public var gate: Bool
    /// `omitted`: the streams pass through the MLP blocks only.
    public var attention = "omitted"
    /// The token file's name, or `seeded`.
    public var tokens: String
    public var tokenCount: Int
    public var seed: UInt64

    public init(gate: Bool, tokens: String, tokenCount: Int, seed: UInt64) {
      self.gate = gate
      self.tokens = tokens
      self.tokenCount = tokenCount
      self.seed = seed
    }
  }

  /// The error of one quantized weight.
  public struct WeightEntry: Sendable, Codable, Equatable {
    /// The source tensor's name.
    public var name: String
    public var role: String
    public var layer: Int?
    /// The expert, for one of several in a fused source tensor as well.
    public var expert: Int?
    public var scheme: String
    /// ‖ŵ − w‖₂ / ‖w‖₂.
    public var relativeError: Double?
    /// −20 log₁₀ of the relative error, in dB; nil where that is infinite.
    public var snrDb: Double?
    public var maximumAbsoluteError: Double?
    /// The share of weights other than 0 that became 0.
    public var zeroedShare: Double
    /// The share of weights beyond what their block can represent.
    public var clippedShare: Double
    /// The number of NaN and infinite weights in the source.
    public var nonFiniteCount: Int

    public init(
      name: String, role: String, layer: Int?, expert: Int?, scheme: String,
      relativeError: Double?, snrDb: Double?, maximumAbsoluteError: Double?, zeroedShare: Double,
      clippedShare: Double, nonFiniteCount: Int
    ) {
      self.name = name
      self.role = role
      self.layer = layer
      self.expert = expert
      self.scheme = scheme
      self.relativeError = relativeError
      self.snrDb = snrDb
      self.maximumAbsoluteError = maximumAbsoluteError
      self.zeroedShare = zeroedShare
      self.clippedShare = clippedShare
      self.nonFiniteCount = nonFiniteCount
    }

    enum CodingKeys: String, CodingKey {
      case name, role, layer, expert, scheme
      case relativeError = "relative_error"
      case snrDb = "snr_db"
      case maximumAbsoluteError = "max_absolute_error"
      case zeroedShare = "zeroed_share"
      case clippedShare = "clipped_share"
      case nonFiniteCount = "non_finite_count"
    }
  }

  enum CodingKeys: String, CodingKey {
    case reportVersion = "report_version"
    case kelter, source, scheme, search, recipe, bytes, measurement, weights, layers, budget, notes
  }
}

extension Report.SourceFile {
  enum CodingKeys: String, CodingKey {
    case name, bytes, checksum
    case headerChecksum = "header_checksum"
  }
}

extension Report.ByteCounts {
  enum CodingKeys: String, CodingKey {
    case source, output
    case bitsPerWeight = "bits_per_weight"
    case fileBitsPerWeight = "file_bits_per_weight"
  }
}

extension Report.Measurement {
  enum CodingKeys: String, CodingKey {
    case gate, attention, tokens, seed
    case tokenCount = "token_count"
  }
}
