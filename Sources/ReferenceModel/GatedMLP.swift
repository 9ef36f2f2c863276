public import Tensors

/// A gated MLP on a batch: y = (activation(x·Gᵀ, x·Uᵀ))·Dᵀ, whose weights arrive as tiles of rows.
///
/// Feed all rows of gate and up in any order, call `activate()`, then feed all rows of down. A tile
/// is used at once and not kept, so memory depends on the batch, not on the weights:
/// n × (2 × intermediateSize + outputSize) floats.
public struct GatedMLP: Sendable {
  /// n × hidden size.
  private let input: Matrix
  private let activation: GatedActivation
  /// x·Gᵀ, n × intermediateSize; after `activate()` what goes into the down projection.
  private var gate: Matrix
  /// x·Uᵀ, n × intermediateSize; empty after `activate()`.
  private var up: Matrix
  /// n × output size. Complete when all rows of down have been added.
  public private(set) var output: Matrix

  /// - Parameter input: a row for each token.
  /// - Parameter intermediateSize: the number of rows of gate and up, columns of down.
  /// - Parameter outputSize: the number of rows of down; the input's columns if nil.
  public init(
    input: Matrix, intermediateSize: Int, outputSize: Int? = nil, activation: GatedActivation
  ) {
    self.input = input
    self.activation = activation
    self.gate = Matrix(rows: input.rows, columns: intermediateSize)
    self.up = Matrix(rows: input.rows, columns: intermediateSize)
    self.output = Matrix(rows: input.rows, columns: outputSize ?? input.columns)
  }

  /// Takes rows of the gate projection.
  /// - Parameter tile: `rows.count` × hidden size, row-major.
  public mutating func addGate(tile: Span<Float>, rows: Range<Int>) {
    MatrixProduct.multiply(input, byTransposed: tile, into: &gate, columns: rows)
  }

  /// Takes rows of the up projection.
  /// - Parameter tile: `rows.count` × hidden size, row-major.
  public mutating func addUp(tile: Span<Float>, rows: Range<Int>) {
    MatrixProduct.multiply(input, byTransposed: tile, into: &up, columns: rows)
  }

  /// Joins gate and up. Call it once, when all their rows have been added.
  public mutating func activate() {
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
    MatrixProduct.multiply(gate, byTransposed: tile, into: &output, columns: rows)
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

  public init(gate: Matrix, up: Matrix, down: Matrix) {
    self.gate = gate
    self.up = up
    self.down = down
  }

  /// The output for a batch, a row for each token.
  public func forward(_ input: Matrix, activation: GatedActivation) -> Matrix {
    var mlp = GatedMLP(
      input: input, intermediateSize: gate.rows, outputSize: down.rows, activation: activation)
    mlp.addGate(tile: gate.values.span, rows: 0..<gate.rows)
    mlp.addUp(tile: up.values.span, rows: 0..<up.rows)
    mlp.activate()
    mlp.addDown(tile: down.values.span, rows: 0..<down.rows)
    return mlp.output
  }
}
