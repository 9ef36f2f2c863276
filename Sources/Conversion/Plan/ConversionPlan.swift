import Bytes
public import Container
public import ModelFamilies
public import Quantization
public import SourceWeights
public import Tensors
import Validation

/// A weight of the source and its fate.
public struct PlannedWeight: Sendable {
  /// What becomes of the bytes.
  public enum Treatment: Sendable, Hashable {
    /// The source's own bytes or codes, bit for bit; scales may become Float32.
    case copy
    /// Rounded to BFloat16.
    case round
    /// Quantized to a format.
    case quantize(QuantizationFormat)
  }

  public let source: SourceWeight
  /// Which of the source weight's matrices it is; nil for the whole.
  public let part: TensorPart?
  /// The logical shape, of the part if it is one.
  public let shape: Shape
  public let role: TensorRole
  public let layer: Int?
  public let expert: Int?
  /// The scheme that was asked for.
  public let scheme: Scheme
  public let treatment: Treatment
  /// How the output stores it.
  public let encoding: TensorEncoding

  /// Whether a scheme was asked for, so that its error is reported, and its bits are counted.
  public var isQuantized: Bool { scheme != .keep }

  /// Whether the source's elements are numbers with a fraction, or codes of such; whole numbers, such
  /// as a table of experts, are carried as bytes.
  var isOfWeights: Bool {
    if case .plain(let dtype) = source.encoding { dtype.isPlainFloat } else { true }
  }

  /// Rows can be encoded and decoded apart from others if they start at a multiple of this.
  var rowMultiple: Int {
    if case .quantized(let format) = encoding { format.tileRowMultiple } else { 1 }
  }

  /// The bytes that the source spends on it, companions included.
  public var sourceByteCount: Int {
    guard part != nil, source.shape.elementCount > 0 else { return source.byteCount }
    let share = Double(shape.elementCount) / Double(source.shape.elementCount)
    return Int((Double(source.byteCount) * share).rounded())
  }

  /// Whether codes of the source are quantized once more.
  public var isRequantized: Bool {
    source.isQuantized && treatment != .copy
  }
}

/// What is converted as one piece of work and stored as one extent.
public struct ConversionUnit: Sendable {
  public enum Kind: Sendable, Hashable {
    /// Tensors that no figure of a layer needs.
    case tensors
    /// The MLP of a dense layer.
    case denseMLP
    /// The MLP of a mixture-of-experts layer that every token goes through.
    case sharedExpert
    /// A routed expert.
    case expert(Int)
  }

  public let kind: Kind
  /// The layer, or nil for what belongs to none.
  public let layer: Int?
  /// Gate, up and down in this order, for an MLP.
  public internal(set) var weights: [PlannedWeight]

  /// The bytes to read.
  public var sourceByteCount: Int { weights.reduce(0) { $0 + $1.sourceByteCount } }
}

/// Every tensor's fate and the exact size of the output, known before anything is read but headers.
public struct ConversionPlan: Sendable {
  public let source: Source
  public let options: ConversionOptions
  /// What to do, in the order of the file: what belongs to no layer, then layer after layer.
  public let units: [ConversionUnit]
  public let container: ContainerPlan
  /// What the user should know before a long run.
  public let notes: [String]

  /// Codes, scales, zero points and tables of the quantized weights, in bytes.
  public let quantizedByteCount: Int
  /// The number of quantized weights (elements).
  public let quantizedElementCount: Int

  /// 8 × quantized bytes / quantized weights; nil if none is quantized.
  public var bitsPerWeight: Double? {
    quantizedElementCount == 0
      ? nil : 8 * Double(quantizedByteCount) / Double(quantizedElementCount)
  }

  /// 8 × the file's bytes / all weights.
  public var fileBitsPerWeight: Double {
    8 * Double(container.byteCount) / Double(max(1, source.elementCount))
  }
}

extension ConversionPlan {
  /// Tensors of at least this many bytes get an extent of their own.
  static let ownExtentByteCount = 16 << 20

  /// Plans a conversion.
  /// - Throws: `ConversionError.schemeDoesNotFit`, and what reading side files throws.
  public init(source: Source, options: ConversionOptions) throws {
    self.source = source
    self.options = options
    try options.recipe.check(tensors: source.weights.weights.map(\.name))

    let planned = try source.matrices.map { try PlannedWeight(matrix: $0, options: options) }
    try options.importance?.check(planned)
    units = Self.units(of: source, planned: planned)

    quantizedElementCount = planned.reduce(0) {
      $0 + ($1.isQuantized ? $1.shape.elementCount : 0)
    }
    container = try Self.container(source: source, options: options, units: units)

    var payload = 0
    for (extent, unit) in units.enumerated() {
      for (tensor, weight) in unit.weights.enumerated() where weight.isQuantized {
        payload += container.payloadByteCount(ofTensor: tensor, inExtent: extent)
      }
    }
    quantizedByteCount = payload

    var notes = source.notes
    if let importance = options.importance { notes.append(importance.note(on: planned)) }
    if let note = Self.requantizationNote(of: planned) { notes.append(note) }
    let decoded = planned.count { $0.source.isDecoded && $0.treatment == .copy }
    if decoded > 0 {
      notes.append(
        "\(decoded) weights cannot keep their codes, which no format holds, and become F32,"
          + " exactly; choose a scheme for them in the recipe to save room")
    }
    self.notes = notes
  }

  /// The warning that codes are quantized once more; nil if none are.
  /// - Parameter added: the error that this adds, once it is known.
  static func requantizationNote(of planned: [PlannedWeight], added: Double? = nil) -> String? {
    let count = planned.count { $0.isQuantized && $0.isRequantized }
    if count == 0 { return nil }
    let figure = added.map { "which adds a relative error of \(Figures.error($0))" }
    return "\(count) quantized source weights are quantized once more, "
      + (figure ?? "which adds an error") + "; errors are against their decoded values"
  }

  /// The notes of the plan, the error that quantizing once more has added among them.
  func notes(after outcome: MeasuredRun.Outcome) -> [String] {
    var added = ErrorStatistics()
    for (unit, statistics) in zip(units, outcome.statistics) {
      for (weight, statistics) in zip(unit.weights, statistics)
      where weight.isQuantized && weight.isRequantized {
        added.merge(statistics)
      }
    }
    let planned = units.flatMap(\.weights)
    let plain = Self.requantizationNote(of: planned)
    let measured = Self.requantizationNote(of: planned, added: added.relativeError)
    return notes.map { $0 == plain ? measured ?? $0 : $0 }
  }

  /// Cuts the weights into units: the MLPs that layers are made of, and groups of all others.
  /// - Parameter planned: the fates of `source.matrices`, in their order.
  static func units(of source: Source, planned: [PlannedWeight]) -> [ConversionUnit] {
    let table = MatrixTable(source.matrices)
    var isTaken = [Bool](repeating: false, count: planned.count)
    var mlps: [Int: [ConversionUnit]] = [:]
    for layer in source.description.layers {
      func add(_ kind: ConversionUnit.Kind, _ names: MLPWeights) {
        let weights: [PlannedWeight] = [names.gate, names.up, names.down].compactMap {
          guard let index = table[$0], !isTaken[index] else { return nil }
          isTaken[index] = true
          return planned[index]
        }
        mlps[layer.index, default: []].append(
          ConversionUnit(kind: kind, layer: layer.index, weights: weights))
      }
      switch layer.mlp {
      case .dense(let names): add(.denseMLP, names)
      case .mixtureOfExperts(let moe):
        if let shared = moe.sharedExpert { add(.sharedExpert, shared) }
        for (index, expert) in moe.experts.enumerated() { add(.expert(index), expert) }
      }
    }

    // The others by layer, -1 standing for none. Groups keep the order of the weights: by name.
    let others = Dictionary(grouping: planned.indices.lazy.filter { !isTaken[$0] }) {
      planned[$0].layer ?? -1
    }
    var units: [ConversionUnit] = []
    for key in Set(others.keys).union(mlps.keys).sorted() {
      let layer = key < 0 ? nil : key
      let weights = (others[key] ?? []).map { planned[$0] }
      let small = weights.filter { $0.sourceByteCount < ownExtentByteCount }
      if !small.isEmpty {
        units.append(ConversionUnit(kind: .tensors, layer: layer, weights: small))
      }
      for weight in weights where weight.sourceByteCount >= ownExtentByteCount {
        units.append(ConversionUnit(kind: .tensors, layer: layer, weights: [weight]))
      }
      units += mlps[key] ?? []
    }
    return units
  }
}

extension PlannedWeight {
  /// Decides the fate of a weight.
  /// - Throws: `ConversionError.schemeDoesNotFit`.
  init(matrix: SourceMatrix, options: ConversionOptions) throws {
    let (scheme, encoding) = try Self.fate(
      of: matrix.source, part: matrix.part, role: matrix.place.role, options: options)
    self.init(matrix: matrix, scheme: scheme, encoding: encoding)
  }

  /// The scheme of a weight, and how the output stores it.
  /// - Throws: `ConversionError.schemeDoesNotFit`.
  static func fate(
    of weight: SourceWeight, part: TensorPart?, role: TensorRole, options: ConversionOptions
  ) throws -> (scheme: Scheme, encoding: TensorEncoding) {
    let scheme =
      options.recipe.scheme(tensor: weight.name, role: role, isMatrix: weight.shape.rank >= 2)
      ?? (role.isMLPWeight ? options.scheme : .keep)

    func misfit(_ reason: String) -> ConversionError {
      .schemeDoesNotFit(tensor: weight.name, scheme: scheme.rawValue, reason: reason)
    }
    if let part, scheme == .keep, !PartReader.isSeparable(part.part, of: weight) {
      throw misfit("its codes cannot be taken apart into the matrices that it holds")
    }
    if scheme != .keep {
      if case .plain(let dtype) = weight.encoding, !dtype.isPlainFloat {
        throw misfit("its elements are \(dtype.rawValue), not weights")
      }
      if weight.shape.rank < 2 { throw misfit("its shape \(weight.shape) is no matrix") }
    }

    let encoding: TensorEncoding =
      switch scheme {
      case .keep: weight.encoding.stored
      case .bf16: .plain(.bf16)
      default: scheme.format.map { .quantized($0) } ?? weight.encoding.stored
      }
    return (scheme, encoding)
  }

  /// A weight whose scheme and encoding are decided.
  init(matrix: SourceMatrix, scheme: Scheme, encoding: TensorEncoding) {
    let weight = matrix.source
    source = weight
    part = matrix.part
    shape = matrix.part?.part.shape(columns: weight.columns) ?? weight.shape
    role = matrix.place.role
    layer = matrix.place.layer
    expert = matrix.place.expert
    self.scheme = scheme
    self.encoding = encoding
    // Codes of blocks that reach over several parts cannot be taken apart.
    let isCopyable = matrix.part.map { PartReader.isSeparable($0.part, of: weight) } ?? true
    treatment =
      switch encoding {
      case weight.encoding.stored where isCopyable: .copy
      case .quantized(let format) where isCopyable && weight.encoding.widens(to: format): .copy
      case .plain: .round
      case .quantized(let format): .quantize(format)
      }
  }
}

extension SourceEncoding {
  /// Whether the same codes have Float32 scales in a format: so they lose nothing.
  func widens(to format: QuantizationFormat) -> Bool {
    guard case .quantized(let own) = self, format.scale == .f32 else { return false }
    return format
      == QuantizationFormat(
        code: own.code, blockRows: own.blockRows, blockColumns: own.blockColumns, scale: .f32,
        hasZeroPoints: own.hasZeroPoints, hasGlobalScale: own.hasGlobalScale)
  }

  /// How a container stores the source's own bytes.
  var stored: TensorEncoding {
    switch self {
    case .plain(let dtype): .plain(dtype)
    case .quantized(let format): .quantized(format)
    }
  }
}
