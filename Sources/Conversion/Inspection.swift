import Bytes
public import Checkpoints
import Container
import ModelFamilies
import Quantization
import ReferenceModel
import SourceWeights
import Tensors

/// What is in a checkpoint, as `kelter inspect` shows it. formats/inspect.schema.json describes the
/// JSON form.
public struct Inspection: Sendable, Codable, Equatable {
  /// The name of the folder or file.
  public var name: String
  /// The family as people know it; nil where there is no config to tell.
  public var family: String?
  public var modelType: String?
  /// The scheme that a container was made with.
  public var scheme: String?
  public var layers: Layers?
  public var experts: Experts?
  public var parameters: Parameters
  /// How weights are stored, most bytes first.
  public var encodings: [Part]
  /// What the tensors do, most bytes first; empty where the family is not known.
  public var roles: [Part]
  /// The size of the weight files in bytes.
  public var bytes: Int
  public var tensors: Int
  public var files: [FileEntry]
  /// Files that are carried into an output.
  public var sideFiles: [String]
  /// Files of the folder that are not read.
  public var unreadFiles: [String]
  /// The exact size after each scheme; empty where the family is not known.
  public var sizes: [SchemeSize]
  public var notes: [String]

  public struct Layers: Sendable, Codable, Equatable {
    /// Without those of multi-token prediction.
    public var total: Int
    public var dense: Int
    public var mixtureOfExperts: Int
    public var multiTokenPrediction: Int

    enum CodingKeys: String, CodingKey {
      case total, dense
      case mixtureOfExperts = "moe"
      case multiTokenPrediction = "mtp"
    }
  }

  public struct Experts: Sendable, Codable, Equatable {
    /// Routed experts of a layer.
    public var routed: Int
    public var perToken: Int
    /// Whether every token also goes through a shared expert.
    public var shared: Bool

    enum CodingKeys: String, CodingKey {
      case routed, shared
      case perToken = "per_token"
    }
  }

  public struct Parameters: Sendable, Codable, Equatable {
    /// Without multi-token prediction, where the family is known.
    public var total: Int
    /// Nil where the family is not known.
    public var activePerToken: Int?
    public var multiTokenPrediction: Int?

    enum CodingKeys: String, CodingKey {
      case total
      case activePerToken = "active_per_token"
      case multiTokenPrediction = "mtp"
    }
  }

  /// Weights that have something in common.
  public struct Part: Sendable, Codable, Equatable {
    public var name: String
    public var tensors: Int
    public var parameters: Int
    /// Scales included.
    public var bytes: Int
  }

  public struct FileEntry: Sendable, Codable, Equatable {
    public var name: String
    public var bytes: Int
  }

  public struct SchemeSize: Sendable, Codable, Equatable {
    public var scheme: String
    public var bytes: Int
    public var bitsPerWeight: Double?

    enum CodingKeys: String, CodingKey {
      case scheme, bytes
      case bitsPerWeight = "bits_per_weight"
    }
  }

  enum CodingKeys: String, CodingKey {
    case name, family, scheme, layers, experts, parameters, encodings, roles, bytes, tensors
    case files, sizes, notes
    case modelType = "model_type"
    case sideFiles = "side_files"
    case unreadFiles = "unread_files"
  }
}

extension Inspection {
  /// The schemes whose sizes are shown.
  static let commonSchemes: [Scheme] = [
    .fp8E4M3Block128, .int4G32, .int4G64, .int4G128, .mxfp4, .nvfp4,
  ]

  /// Describes a checkpoint that is understood.
  public init(source: Source) throws {
    let description = source.description
    self.init(checkpoint: source.checkpoint)
    encodings = Self.parts(of: zip(source.weights.weights, source.places)) { weight, _ in
      weight.summary
    }
    family = description.familyName
    modelType = description.modelType
    let main = description.layers.filter { !$0.isMultiTokenPrediction }
    layers = Layers(
      total: main.count, dense: main.count { $0.mixtureOfExperts == nil },
      mixtureOfExperts: main.count { $0.mixtureOfExperts != nil },
      multiTokenPrediction: description.layers.count - main.count)
    experts = description.layers.compactMap(\.mixtureOfExperts).first.map {
      Experts(
        routed: $0.router.expertCount, perToken: $0.router.expertsPerToken,
        shared: $0.sharedExpert != nil)
    }
    parameters = Parameters(
      total: description.parameters.total, activePerToken: description.parameters.activePerToken,
      multiTokenPrediction: description.parameters.multiTokenPrediction)
    roles = Self.roles(of: source.matrices)
    let plan = try ConversionPlan(source: source, options: ConversionOptions(scheme: .keep))
    sizes = try Self.commonSchemes.map { scheme in
      let size = try plan.size(with: ConversionOptions(scheme: scheme))
      return SchemeSize(
        scheme: scheme.rawValue, bytes: size.byteCount, bitsPerWeight: size.bitsPerWeight)
    }
    notes = source.notes
  }

  /// Describes a checkpoint as far as its tensors go, scales counted as the tensors that they are.
  public init(checkpoint: Checkpoint) {
    name = Source.name(of: checkpoint.path)
    parameters = Parameters(
      total: checkpoint.tensors.reduce(0) { $0 + $1.shape.elementCount }, activePerToken: nil,
      multiTokenPrediction: nil)
    encodings = Self.sorted(
      Dictionary(grouping: checkpoint.tensors, by: \.dtype).map { dtype, tensors in
        Part(
          name: dtype.rawValue, tensors: tensors.count,
          parameters: tensors.reduce(0) { $0 + $1.shape.elementCount },
          bytes: tensors.reduce(0) { $0 + $1.byteCount })
      })
    roles = []
    bytes = checkpoint.files.reduce(0) { $0 + $1.byteCount }
    tensors = checkpoint.tensors.count
    files = checkpoint.files.map {
      FileEntry(name: checkpoint.name(of: $0), bytes: $0.byteCount)
    }
    sideFiles = checkpoint.sideFiles.map(Source.name)
    unreadFiles = checkpoint.unreadFiles.map(Source.name)
    sizes = []
    notes = []
  }

  /// Sums up weights by a name, most bytes first.
  static func parts<Other>(
    of weights: Zip2Sequence<[SourceWeight], [Other]>, by name: (SourceWeight, Other) -> String
  ) -> [Part] {
    var parts: [String: Part] = [:]
    for (weight, other) in weights {
      let name = name(weight, other)
      var part = parts[name] ?? Part(name: name, tensors: 0, parameters: 0, bytes: 0)
      part.tensors += 1
      part.parameters += weight.shape.elementCount
      part.bytes += weight.byteCount
      parts[name] = part
    }
    return sorted(Array(parts.values))
  }

  /// Sums up matrices by their roles, most bytes first. Those that share a tensor count each.
  private static func roles(of matrices: [SourceMatrix]) -> [Part] {
    var parts: [String: Part] = [:]
    for matrix in matrices {
      let name = matrix.place.role.rawValue
      var part = parts[name] ?? Part(name: name, tensors: 0, parameters: 0, bytes: 0)
      part.tensors += 1
      part.parameters += matrix.shape.elementCount
      part.bytes += matrix.byteCount
      parts[name] = part
    }
    return sorted(Array(parts.values))
  }

  static func sorted(_ parts: [Part]) -> [Part] {
    parts.sorted { ($1.bytes, $0.name) < ($0.bytes, $1.name) }
  }
}

extension SourceWeight {
  /// How the source stores the weight, as people name it: `BF16`, `GPTQ, 4 bits`.
  package var summary: String {
    guard let layoutName else { return encoding.summary }
    return isDecoded ? layoutName : "\(encoding.summary) (\(layoutName))"
  }
}

extension SourceEncoding {
  /// The encoding as people name it: `BF16`, `F8_E4M3, 128×128 blocks, F32 scales`.
  package var summary: String {
    switch self {
    case .plain(let dtype): dtype.rawValue
    case .quantized(let format): format.summary
    }
  }
}

extension QuantizationFormat {
  /// The format as people name it: `E4M3, 128×128 blocks, F32 scales`.
  package var summary: String {
    let block =
      switch (blockRows, blockColumns) {
      case (nil, nil): "one block"
      case (1, nil): "rows"
      case (1, let columns?): "groups of \(columns)"
      case (let rows, let columns):
        "\(rows.map(String.init) ?? "all")×\(columns.map(String.init) ?? "all") blocks"
      }
    var text = "\(code.name), \(block), \(scale.rawValue) scales"
    if hasZeroPoints { text += ", zero points" }
    if hasGlobalScale { text += ", global scale" }
    if tableCount > 0 { text += tableCount == 1 ? ", a table" : ", \(tableCount) tables" }
    return text
  }
}

extension CodeFormat {
  /// The code as people name it.
  package var name: String {
    switch self {
    case .e4m3: "FP8 E4M3"
    case .e2m1: "FP4 E2M1"
    case .int8: "INT8"
    case .int4, .uint4: "INT4"
    case .lut4: "4-bit indices"
    case .lut3: "3-bit indices"
    }
  }
}
