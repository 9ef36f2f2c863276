public import Tensors

/// A gated MLP on a batch: y = (activation(x·Gᵀ, x·Uᵀ))·Dᵀ, whose weights arrive as tiles of rows.
///
/// Feed all rows of gate and up in any order, call `activate()`, then feed all rows of down. Few
/// rows are kept, so memory depends on the batch, not on the weights: n × (2 × intermediateSize +
/// outputSize) floats, each row padded as in `PaddedMatrix`, and `heldByteCount`.
///
/// Biases, where there are some, are added to what the three projections make.
public struct GatedMLP: Sendable {
  private let activation: GatedActivation
  private let outputSize: Int
  private let downBias: [Float]?
  private let threads: Int
  /// nil after `activate()`, and so is `up`.
  private var gate: TiledProduct?
  private var up: TiledProduct?
  /// nil until `activate()`.
  private var down: TiledProduct?

  /// n × output size, copied each time. Complete when all rows of down have been added.
  /// - Precondition: `activate()` has been called.
  public var output: Matrix {
    guard let down else { preconditionFailure("activate() makes the output") }
    return down.output.matrix
  }

  /// - Parameter input: a row for each token.
  /// - Parameter intermediateSize: the number of rows of gate and up, columns of down.
  /// - Parameter outputSize: the number of rows of down; the input's columns if nil.
  /// - Parameter threads: how many threads compute a product together.
  public init(
    input: PaddedMatrix, intermediateSize: Int, outputSize: Int? = nil, activation: GatedActivation,
    biases: GatedMLPBiases? = nil, threads: Int = 1
  ) {
    precondition(
      biases.map { $0.gate.count == intermediateSize && $0.up.count == intermediateSize } ?? true)
    precondition(biases.map { $0.down.count == outputSize ?? input.columns } ?? true)
    self.activation = activation
    self.outputSize = outputSize ?? input.columns
    downBias = biases?.down
    self.threads = threads
    gate = TiledProduct(
      input: input, outputSize: intermediateSize, bias: biases?.gate, threads: threads)
    up = TiledProduct(
      input: input, outputSize: intermediateSize, bias: biases?.up, threads: threads)
  }

  /// The bytes that are held of the rows of weights where so many tokens go through.
  /// - Parameters:
  ///   - gate: the columns of gate and up, and the most of their rows that arrive at once.
  ///   - down: those of down.
  ///   - threads: how many threads compute a product together.
  public static func heldByteCount(
    tokens: Int, gate: (columns: Int, tileHeight: Int), down: (columns: Int, tileHeight: Int),
    threads: Int
  ) -> Int {
    max(
      2
        * TiledProduct.heldByteCount(
          inputs: tokens, columns: gate.columns, tileHeight: gate.tileHeight, threads: threads),
      TiledProduct.heldByteCount(
        inputs: tokens, columns: down.columns, tileHeight: down.tileHeight, threads: threads))
  }

  /// Takes rows of the gate projection.
  /// - Parameter tile: `rows.count` × hidden size, row-major.
  public mutating func addGate(tile: Span<Float>, rows: Range<Int>) {
    precondition(gate != nil, "gate comes before activate()")
    gate?.add(tile: tile, rows: rows)
  }

  /// Takes rows of the up projection.
  /// - Parameter tile: `rows.count` × hidden size, row-major.
  public mutating func addUp(tile: Span<Float>, rows: Range<Int>) {
    precondition(up != nil, "up comes before activate()")
    up?.add(tile: tile, rows: rows)
  }

  /// Joins gate and up. Call it once, when all their rows have been added.
  public mutating func activate() {
    guard var joined = gate?.output, let factors = up?.output.values else {
      preconditionFailure("activate() comes once")
    }
    // Else `joined` would be a copy.
    gate = nil
    up = nil
    for index in factors.indices {
      joined.values[index] = activation(gate: joined.values[index], up: factors[index])
    }
    down = TiledProduct(input: joined, outputSize: outputSize, bias: downBias, threads: threads)
  }

  /// Takes rows of the down projection.
  /// - Parameter tile: `rows.count` × intermediate size, row-major.
  /// - Precondition: `activate()` has been called.
  public mutating func addDown(tile: Span<Float>, rows: Range<Int>) {
    precondition(down != nil, "down comes after activate()")
    down?.add(tile: tile, rows: rows)
  }
}

/// What the projections of a gated MLP add.
public struct GatedMLPBiases: Sendable, Hashable {
  /// intermediate size elements
  public let gate: [Float]
  /// intermediate size elements
  public let up: [Float]
  /// hidden size elements
  public let down: [Float]

  public init(gate: [Float], up: [Float], down: [Float]) {
    self.gate = gate
    self.up = up
    self.down = down
  }
}

/// The weights of a gated MLP, whole in memory.
public struct GatedMLPWeights: Sendable {
  /// intermediate size × hidden size
  public let gate: Matrix
  /// intermediate size × hidden size
  public let up: Matrix
  /// hidden size × intermediate size
  public let down: Matrix
  public let biases: GatedMLPBiases?

  public init(gate: Matrix, up: Matrix, down: Matrix, biases: GatedMLPBiases? = nil) {
    self.gate = gate
    self.up = up
    self.down = down
    self.biases = biases
  }

  /// The output for a batch, a row for each token.
  public func forward(_ input: Matrix, activation: GatedActivation) -> Matrix {
    var mlp = GatedMLP(
      input: PaddedMatrix(input), intermediateSize: gate.rows, outputSize: down.rows,
      activation: activation, biases: biases)
    mlp.addGate(tile: gate.values.span, rows: 0..<gate.rows)
    mlp.addUp(tile: up.values.span, rows: 0..<up.rows)
    mlp.activate()
    mlp.addDown(tile: down.values.span, rows: 0..<down.rows)
    return mlp.output
  }
}
