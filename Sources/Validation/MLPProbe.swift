public import ReferenceModel
public import Tensors

/// Runs one gated MLP with its original and its delivered weights side by side, as tiles of rows
/// come by: the original on its tokens of the reference stream, the delivered one on the same
/// inputs and on its tokens of the delivered stream.
public struct MLPProbe: Sendable {
  private let share: TokenShare
  /// Whether no token came and seeded inputs stand in.
  private let isSeeded: Bool
  /// The number of inputs that both weights see.
  private let comparedCount: Int
  /// For each of `share.local`, its row in the delivered output.
  private let localRows: [Int]
  /// For each of `share.cumulative`, its row in the delivered output.
  private let cumulativeRows: [Int]
  private var original: GatedMLP
  private var delivered: GatedMLP

  /// The number of inputs where no token came.
  public static let seededInputCount = 16

  /// - Parameters:
  ///   - stream: tells the seeded inputs of this MLP from others'.
  ///   - intermediateSize: the rows of gate and up.
  ///   - biases: what the projections add; nil if nothing.
  ///   - threads: how many threads compute a product together; it changes no figure.
  public init(
    input: LayerInput, share: TokenShare, intermediateSize: Int, activation: GatedActivation,
    biases: (original: GatedMLPBiases, delivered: GatedMLPBiases)? = nil, seed: UInt64,
    stream: [UInt64], threads: Int = 1
  ) {
    self.share = share
    isSeeded = share.reference.isEmpty
    let compared =
      isSeeded
      ? Matrix.seededNormal(
        rows: Self.seededInputCount, columns: input.reference.columns,
        rootMeanSquare: input.reference.rootMeanSquare, seed: seed, stream: stream)
      : input.reference.gatheredRows(for: share.reference)
    comparedCount = compared.rows

    // Inputs that the delivered MLP has in common with what is compared are computed once. The others
    // follow: what only the delivered router sends here, then the delivered stream.
    var rowOfInput: [MLPInput: Int] = [:]
    for (row, assignment) in share.reference.enumerated() {
      rowOfInput[MLPInput(assignment)] = row
    }
    var added: [Routing.Assignment] = []
    func rows(of assignments: [Routing.Assignment]) -> [Int] {
      assignments.map { assignment in
        if let row = rowOfInput[MLPInput(assignment)] { return row }
        let row = compared.rows + added.count
        rowOfInput[MLPInput(assignment)] = row
        added.append(assignment)
        return row
      }
    }
    localRows = rows(of: share.local)
    var streamRows = Matrix(rows: 0, columns: compared.columns)
    if input.streamsAreAlike {
      cumulativeRows = rows(of: share.cumulative)
    } else {
      streamRows = input.delivered.gatheredRows(for: share.cumulative)
      let start = compared.rows + added.count
      cumulativeRows = Array(start..<start + streamRows.rows)
    }

    let inputs = PaddedMatrix(
      rowsOf: [compared, input.reference.gatheredRows(for: added), streamRows],
      columns: compared.columns)
    original = GatedMLP(
      input: inputs.firstRows(compared.rows), intermediateSize: intermediateSize,
      activation: activation, biases: biases?.original, threads: threads)
    delivered = GatedMLP(
      input: inputs, intermediateSize: intermediateSize, activation: activation,
      biases: biases?.delivered, threads: threads)
  }

  /// Takes rows of the gate projection, original and delivered.
  public mutating func addGate(
    rows: Range<Int>, original tile: Span<Float>, delivered deliveredTile: Span<Float>
  ) {
    original.addGate(tile: tile, rows: rows)
    delivered.addGate(tile: deliveredTile, rows: rows)
  }

  /// Takes rows of the up projection, original and delivered.
  public mutating func addUp(
    rows: Range<Int>, original tile: Span<Float>, delivered deliveredTile: Span<Float>
  ) {
    original.addUp(tile: tile, rows: rows)
    delivered.addUp(tile: deliveredTile, rows: rows)
  }

  /// Joins gate and up; call it once, when all their rows have come.
  public mutating func activate() {
    original.activate()
    delivered.activate()
  }

  /// Takes rows of the down projection, original and delivered.
  public mutating func addDown(
    rows: Range<Int>, original tile: Span<Float>, delivered deliveredTile: Span<Float>
  ) {
    original.addDown(tile: tile, rows: rows)
    delivered.addDown(tile: deliveredTile, rows: rows)
  }

  /// What came out; call it when all rows of the down projection have come.
  public func result() -> Result {
    let original = original.output
    let delivered = delivered.output
    var comparison = OutputComparison()
    comparison.add(
      reference: original.values,
      approximation: delivered.values[..<(comparedCount * delivered.columns)])
    return Result(
      share: share, isSeeded: isSeeded, comparison: comparison, original: original,
      local: delivered.gatheredRows(at: localRows),
      cumulative: delivered.gatheredRows(at: cumulativeRows))
  }

  /// What an MLP adds to its layer's output, and how well it does so.
  public struct Result: Sendable {
    let share: TokenShare
    /// Whether no token came and seeded inputs stood in.
    public let isSeeded: Bool
    /// The delivered against the original output, on the same inputs.
    public let comparison: OutputComparison
    let original: Matrix
    let local: Matrix
    let cumulative: Matrix

    /// The number of tokens that the original router sent here.
    public var tokenCount: Int { share.reference.count }
  }
}

/// What makes a row of an MLP's input out of a stream.
private struct MLPInput: Hashable {
  let token: Int
  let factor: Float

  init(_ assignment: Routing.Assignment) {
    token = assignment.token
    factor = assignment.inputFactor
  }
}

/// The outputs of a layer's MLPs, summed for each token in the order in which they are added.
public struct LayerOutput: Sendable {
  /// The original weights on the reference stream.
  public private(set) var reference: Matrix
  /// The delivered weights on the reference stream.
  public private(set) var local: Matrix
  /// The delivered weights on the delivered stream.
  public private(set) var cumulative: Matrix

  public init(input: LayerInput) {
    let columns = input.reference.columns
    reference = Matrix(rows: input.reference.rows, columns: columns)
    local = reference
    cumulative = Matrix(rows: input.delivered.rows, columns: columns)
  }

  /// Adds what one MLP computed.
  public mutating func add(_ result: MLPProbe.Result) {
    if !result.isSeeded {
      reference.scatterAdd(result.original, to: result.share.reference[...])
    }
    local.scatterAdd(result.local, to: result.share.local[...])
    cumulative.scatterAdd(result.cumulative, to: result.share.cumulative[...])
  }

  /// The figures of the layer.
  /// - Parameter experts: those of its routed experts.
  public func entry(
    layer: Int, input: LayerInput, experts: [Report.ExpertEntry]
  ) -> Report.LayerEntry {
    var local = OutputComparison()
    local.add(reference: reference.values, approximation: self.local.values)
    var cumulative = OutputComparison()
    if !input.isSeeded {
      cumulative.add(reference: reference.values, approximation: self.cumulative.values)
    }
    return Report.LayerEntry(
      layer: layer, kind: input.routings == nil ? "dense" : "moe",
      input: input.isSeeded ? "seeded" : "tokens", relativeError: local.relativeError,
      cumulativeRelativeError: input.isSeeded ? nil : cumulative.relativeError,
      cosine: local.cosine,
      routingAgreement: input.isSeeded ? nil : input.routings?.agreement, experts: experts)
  }
}
