import Dispatch
import ReferenceModel
import Synchronization
import Tensors
import Testing

/// left · rightᵀ in Double.
private func product(_ left: [[Double]], _ right: [[Double]]) -> [[Double]] {
  left.map { row in right.map { zip(row, $0).map(*).reduce(0, +) } }
}

extension Matrix {
  fileprivate var doubles: [[Double]] { (0..<rows).map { row($0).map(Double.init) } }

  fileprivate static func normal(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
    seededNormal(rows: rows, columns: columns, rootMeanSquare: 1, seed: seed)
  }
}

private func relativeError(_ matrix: Matrix, _ reference: [[Double]]) -> Double {
  let differences = zip(matrix.values.map(Double.init), reference.joined()).map { $0 - $1 }
  let norm = reference.joined().map { $0 * $0 }.reduce(0, +)
  return (differences.map { $0 * $0 }.reduce(0, +) / norm).squareRoot()
}

@Suite struct GatedMLPTests {
  static func weights(intermediate: Int, hidden: Int) -> GatedMLPWeights {
    GatedMLPWeights(
      gate: .normal(intermediate, hidden, seed: 1), up: .normal(intermediate, hidden, seed: 2),
      down: .normal(hidden, intermediate, seed: 3))
  }

  @Test(arguments: [1, 5, 24, 130])
  func agreesWithDouble(tokens: Int) {
    let weights = Self.weights(intermediate: 37, hidden: 29)
    let input = Matrix.normal(tokens, 29, seed: 4)
    let gate = product(input.doubles, weights.gate.doubles)
    let up = product(input.doubles, weights.up.doubles)
    let hidden = zip(gate, up).map { gate, up in
      zip(gate, up).map { g, u in g / (1 + exponential(-g)) * u }
    }
    let expected = product(hidden, weights.down.doubles)
    #expect(relativeError(weights.forward(input, activation: .silu), expected) < 1e-6)
  }

  /// Tiles of any size, in any order, make what the whole weights do, to the bit: for few inputs and
  /// for many, whose products take rows of several tiles, on any number of threads.
  @Test(arguments: [1, 7, 16, 64, 100], [(9, 1), (130, 1), (130, 3)])
  func tilesMakeTheWhole(tileRows: Int, inputs: (count: Int, threads: Int)) {
    var weights = Self.weights(intermediate: 200, hidden: 150)
    weights = GatedMLPWeights(
      gate: weights.gate, up: weights.up, down: weights.down,
      biases: GatedMLPBiases(
        gate: Matrix.normal(1, 200, seed: 7).values, up: Matrix.normal(1, 200, seed: 8).values,
        down: Matrix.normal(1, 150, seed: 9).values))
    let input = Matrix.normal(inputs.count, 150, seed: 5)
    let whole = weights.forward(input, activation: .silu)

    func tiles(_ matrix: Matrix) -> [Range<Int>] {
      stride(from: 0, to: matrix.rows, by: tileRows).map {
        $0..<min($0 + tileRows, matrix.rows)
      }
    }
    func slice(_ matrix: Matrix, _ rows: Range<Int>) -> [Float] {
      Array(
        matrix.values[rows.lowerBound * matrix.columns..<rows.upperBound * matrix.columns])
    }
    var mlp = GatedMLP(
      input: PaddedMatrix(input), intermediateSize: 200, activation: .silu,
      biases: weights.biases, threads: inputs.threads)
    for rows in tiles(weights.up).reversed() {
      mlp.addUp(tile: slice(weights.up, rows).span, rows: rows)
    }
    for rows in tiles(weights.gate) {
      mlp.addGate(tile: slice(weights.gate, rows).span, rows: rows)
    }
    mlp.activate()
    for rows in tiles(weights.down) {
      mlp.addDown(tile: slice(weights.down, rows).span, rows: rows)
    }
    #expect(mlp.output == whole)
  }

  @Test func noTokensMakeNoOutput() {
    let output = Self.weights(intermediate: 8, hidden: 4)
      .forward(Matrix(rows: 0, columns: 4), activation: .silu)
    #expect(output == Matrix(rows: 0, columns: 4))
  }

  /// Products of several threads at once are those of one.
  @Test func productsAreTheSameOnAllThreads() {
    let weights = Self.weights(intermediate: 192, hidden: 128)
    let input = Matrix.normal(64, 128, seed: 6)
    let expected = weights.forward(input, activation: .silu)
    let differing = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: 24) { _ in
      if weights.forward(input, activation: .silu) != expected {
        differing.add(1, ordering: .relaxed)
      }
    }
    #expect(differing.load(ordering: .relaxed) == 0)
  }

  /// Experts, weights, shared expert and its gate, put together by hand in Double.
  @Test func layerAddsWeightedExpertsAndGatedSharedExpert() {
    let experts = (0..<3).map { expert in
      GatedMLPWeights(
        gate: .normal(6, 4, seed: 10 + expert), up: .normal(6, 4, seed: 20 + expert),
        down: .normal(4, 6, seed: 30 + expert))
    }
    let shared = Self.weights(intermediate: 5, hidden: 4)
    let layer = MoELayer(
      routerWeight: .normal(3, 4, seed: 40), correctionBias: nil,
      rule: RouterRule(
        scoring: .softmax, expertCount: 3, expertsPerToken: 2, normalization: .sum(epsilon: 0)),
      experts: experts, sharedExpert: shared, sharedExpertGate: .normal(1, 4, seed: 41),
      activation: .silu)
    let input = Matrix.normal(5, 4, seed: 42)
    let result = layer.forward(input)
    for token in 0..<5 {
      let row = Matrix(rows: 1, columns: 4, values: Array(input.row(token)))
      var expected = [Double](repeating: 0, count: 4)
      func add(_ mlp: GatedMLPWeights, times weight: Double) {
        let output = mlp.forward(row, activation: .silu)
        for column in 0..<4 { expected[column] += weight * Double(output.values[column]) }
      }
      let weights = zip(result.routing.experts(of: token), result.routing.weights(of: token))
      for (expert, weight) in weights { add(experts[expert], times: Double(weight)) }
      let gate = product(row.doubles, layer.sharedExpertGate!.doubles)[0][0]
      add(shared, times: 1 / (1 + exponential(-gate)))
      #expect(
        relativeError(
          Matrix(rows: 1, columns: 4, values: Array(result.output.row(token))), [expected]) < 1e-6)
    }
  }
}
