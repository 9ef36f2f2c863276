public import Tensors

/// A gated MLP on a batch: y = (activation(x·Gᵀ, x·Uᵀ))·Dᵀ, whose weights arrive as tiles of rows.
///
/// Feed all rows of gate and up in any order, call `activate()`, then feed all rows of down. A tile
/// is used at once and not kept, so memory depends on the batch, not on the weights:
/// n × (2 × intermediateSize + outputSize) floats.
///
/// Biases, where there are some, are added to what the three projections make.
public struct GatedMLP: Sendable {
  /// n × hidden size.
  private let input: Matrix
  private let activation: GatedActivation
  private let biases: GatedMLPBiases?
  private let threads: Int
  /// x·Gᵀ, n × intermediateSize; after `activate()` what goes into the down projection.
  private var gate: Matrix
  /// x·Uᵀ, n × intermediateSize; empty after `activate()`.
  private var up: Matrix
  /// n × output size. Complete when all rows of down have been added.
  public private(set) var output: Matrix

  /// - Parameter input: a row for each token.
  /// - Parameter intermediateSize: the number of rows of gate and up, columns of down.
  /// - Parameter outputSize: the number of rows of down; the input's columns if nil.
  /// - Parameter threads: how many threads compute a product together.
  public init(
    input: Matrix, intermediateSize: Int, outputSize: Int? = nil, activation: GatedActivation,
    biases: GatedMLPBiases? = nil, threads: Int = 1
  ) {
    precondition(
      biases.map { $0.gate.count == intermediateSize && $0.up.count == intermediateSize } ?? true)
    precondition(biases.map { $0.down.count == outputSize ?? input.columns } ?? true)
    self.input = input
    self.activation = activation
    self.biases = biases
    self.threads = threads
    self.gate = Matrix(rows: input.rows, columns: intermediateSize)
    self.up = Matrix(rows: input.rows, columns: intermediateSize)
    self.output = Matrix(rows: input.rows, columns: outputSize ?? input.columns)
  }

  /// Takes rows of the gate projection.
  /// - Parameter tile: `rows.count` × hidden size, row-major.
  public mutating func addGate(tile: Span<Float>, rows: Range<Int>) {
    MatrixProduct.multiply(
      input, byTransposed: tile, into: &gate, columns: rows, threads: threads)
  }

  /// Takes rows of the up projection.
  /// - Parameter tile: `rows.count` × hidden size, row-major.
  public mutating func addUp(tile: Span<Float>, rows: Range<Int>) {
    MatrixProduct.multiply(
      input, byTransposed: tile, into: &up, columns: rows, threads: threads)
  }

  /// Joins gate and up. Call it once, when all their rows have been added.
  public mutating func activate() {
    if let biases {
      gate.add(biases.gate, toColumns: 0..<gate.columns)
      up.add(biases.up, toColumns: 0..<up.columns)
    }
    for index in gate.values.indices {
      gate.values[index] = activation(gate: gate.values[index], up: up.values[index])
    }
    up = Matrix(rows: 0, columns: 0)
  }

  /// Takes rows of the down projection.
  /// - Parameter tile: `rows.count` × intermediate size, row-major.
  /// - Precondition: `activate()` has been called.
  public mutating func addDown(tile: Span<Float>, rows: Range<Int>) {
    precondition(up.columns == 0, "activate() comes before the down projection")
    MatrixProduct.multiply(
      gate, byTransposed: tile, into: &output, columns: rows, threads: threads)
    if let biases { output.add(biases.down, toColumns: rows) }
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

extension Matrix {
  /// Adds to every row the elements of `bias` in some columns.
  fileprivate mutating func add(_ bias: [Float], toColumns range: Range<Int>) {
    for row in 0..<rows {
      for column in range { values[row * columns + column] += bias[column] }
    }
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
      input: input, intermediateSize: gate.rows, outputSize: down.rows, activation: activation,
      biases: biases)
    mlp.addGate(tile: gate.values.span, rows: 0..<gate.rows)
    mlp.addUp(tile: up.values.span, rows: 0..<up.rows)
    mlp.activate()
    mlp.addDown(tile: down.values.span, rows: 0..<down.rows)
    return mlp.output
  }
}
