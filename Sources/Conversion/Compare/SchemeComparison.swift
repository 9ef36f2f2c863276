import ModelFamilies
public import Quantization
import Validation

/// What each scheme would make of a checkpoint, as `kelter plan --compare` shows it.
/// formats/plan-compare.schema.json describes the JSON form.
public struct SchemeComparison: Sendable, Codable, Equatable {
  /// The family as people know it.
  public var family: String
  /// How scales were searched: `absmax`, `fast` or `full`.
  public var search: String
  /// The weight files of the source in bytes.
  public var sourceBytes: Int
  /// The number of weights (elements) that the schemes and the recipe apply to.
  public var weights: Int
  /// How many of those the errors are estimated on.
  public var sampledWeights: Int
  /// The smallest output first.
  public var schemes: [Row]
  public var notes: [String]

  /// What becomes of the checkpoint under one scheme.
  public struct Row: Sendable, Codable, Equatable {
    public var scheme: String
    /// The exact size of the output in bytes.
    public var outputBytes: Int
    /// Per quantized weight; nil if none is quantized.
    public var bitsPerWeight: Double?
    /// 8 × the output file / all weights.
    public var fileBitsPerWeight: Double
    /// ‖ŵ − w‖ / ‖w‖ over all weights that the schemes and the recipe apply to, estimated; nil
    /// where it is not finite.
    public var relativeError: Double?
    /// With a probability of about 95 %, the error of all those weights is within this of
    /// `relativeError`; 0 where all were measured.
    public var margin: Double?
    /// The share of the weights that are carried bit for bit, because the source has them so.
    public var copiedShare: Double
    /// Whether every other scheme has more error or more bytes.
    public var isOnFrontier: Bool

    enum CodingKeys: String, CodingKey {
      case scheme, margin
      case outputBytes = "output_bytes"
      case bitsPerWeight = "bits_per_weight"
      case fileBitsPerWeight = "file_bits_per_weight"
      case relativeError = "relative_error"
      case copiedShare = "copied_share"
      case isOnFrontier = "frontier"
    }
  }

  enum CodingKeys: String, CodingKey {
    case family, search, weights, schemes, notes
    case sourceBytes = "source_bytes"
    case sampledWeights = "sampled_weights"
  }
}

extension SchemeComparison {
  /// About how many weights are measured under each scheme.
  public static let defaultSampleSize = 24 << 20

  /// Compares schemes.
  ///
  /// Sizes are those of plans, exactly. Errors are measured on a sample of the weights, converted
  /// as they would be; `ErrorEstimate` tells how sure they are. The same sample and the same
  /// figures for the same arguments, whatever the number of threads.
  /// - Parameters:
  ///   - options: the recipe and the search; its scheme does not matter.
  ///   - sampleSize: about how many weights to measure; if there are no more, all are.
  ///   - seed: draws another sample.
  /// - Throws: `ConversionError.schemeDoesNotFit` if no scheme fits, and what planning and reading
  ///   throw.
  public init(
    source: Source, options: ConversionOptions, schemes: [Scheme] = Scheme.allCases,
    sampleSize: Int = SchemeComparison.defaultSampleSize, seed: UInt64 = 0,
    progress: @escaping ProgressHandler = { _ in }
  ) throws {
    var sizes: [(scheme: Scheme, byteCount: Int, bitsPerWeight: Double?)] = []
    var misfits: [ConversionError] = []
    var plan: ConversionPlan?
    for scheme in schemes {
      var options = options
      options.scheme = scheme
      do {
        let known = try plan ?? ConversionPlan(source: source, options: options)
        plan = known
        let size = try known.size(with: options)
        sizes.append((scheme, size.byteCount, size.bitsPerWeight))
      } catch let error as ConversionError {
        guard case .schemeDoesNotFit = error else { throw error }
        misfits.append(error)
      }
    }
    if sizes.isEmpty, let first = misfits.first { throw first }

    // Whatever scheme it is, the weights that are not kept are the same.
    var sampled = options
    sampled.scheme = sizes.map(\.scheme).first { $0 != .keep } ?? .bf16
    let sample = try TileSample(
      source: source, options: sampled, elementCount: sampleSize, seed: seed)
    let measured = try MeasuredSample(
      sample, of: source, options: options, schemes: sizes.map(\.scheme), progress: progress)

    family = source.description.familyName
    search = options.search.rawValue
    sourceBytes = source.byteCount
    weights = sample.elementCount
    sampledWeights = sample.sampledElementCount
    self.schemes = zip(sizes, measured.schemes).map { size, measured in
      Row(
        scheme: size.scheme.rawValue, outputBytes: size.byteCount,
        bitsPerWeight: size.bitsPerWeight,
        fileBitsPerWeight: 8 * Double(size.byteCount) / Double(max(1, source.elementCount)),
        relativeError: measured.error.relativeError.finite,
        margin: measured.error.margin.finite,
        copiedShare: measured.copiedShare, isOnFrontier: false)
    }
    .sorted {
      ($0.outputBytes, $0.relativeError ?? .infinity, $0.scheme)
        < ($1.outputBytes, $1.relativeError ?? .infinity, $1.scheme)
    }
    notes = source.notes + measured.notes + misfits.map(\.description)
    markFrontier()
  }

  /// Marks the rows that no other beats in one of size and error without losing in the other.
  mutating func markFrontier() {
    for index in schemes.indices {
      let row = (schemes[index].outputBytes, schemes[index].relativeError ?? .infinity)
      schemes[index].isOnFrontier = !schemes.contains {
        let other = ($0.outputBytes, $0.relativeError ?? .infinity)
        return other.0 <= row.0 && other.1 <= row.1 && other != row
      }
    }
  }
}
