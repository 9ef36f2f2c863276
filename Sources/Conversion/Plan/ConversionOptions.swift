public import Quantization
public import SystemPackage
public import Validation

/// What a conversion is asked to do.
public struct ConversionOptions: Sendable {
  /// The scheme of routed experts, shared experts and dense MLPs, unless the recipe says otherwise.
  public var scheme: Scheme
  public var recipe = Recipe.empty
  public var search = ScaleSearch.full
  /// How much the columns' errors matter when scales are searched; nil if all matter alike.
  public var importance: Importance?
  public var budget = Budget.default
  /// A safetensors file with `input_ids`, or nil for seeded ids.
  public var tokens: FilePath?
  /// How many token ids the streams start from, at most.
  public var tokenCount = 256
  /// Where seeded token ids and inputs come from.
  public var seed: UInt64 = 0
  /// What the run may hold in memory, in bytes.
  public var memoryLimit = 2 << 30
  /// The number of threads; nil for one per core.
  public var threads: Int?
  /// Whether layers are measured and the budget decides.
  public var gate = true
  /// Whether an existing output is replaced.
  public var force = false
  /// Whether what an interrupted run has done is dropped rather than taken up.
  public var restart = false
  /// Whether NaN and infinite weights are let through; they count as zero or saturate.
  public var allowsNonFinite = false
  /// Whether the output gets a SHA-256 digest of each extent.
  public var sha256 = false

  public init(scheme: Scheme) {
    self.scheme = scheme
  }
}

/// How far a run is.
public struct Progress: Sendable {
  /// What is being done: `convert`, `verify`.
  public let phase: String
  /// Where: `layer 12 of 61`.
  public let detail: String
  /// Bytes done.
  public let done: Int
  /// Bytes in all.
  public let total: Int

  public init(phase: String, detail: String, done: Int, total: Int) {
    self.phase = phase
    self.detail = detail
    self.done = done
    self.total = total
  }
}

/// Takes reports of progress, from any thread.
public typealias ProgressHandler = @Sendable (Progress) -> Void
