public import Tensors

extension Matrix {
  /// The rows at these indices, in this order: the tokens of an expert, or the embeddings of
  /// token ids where `self` is the table.
  /// - Precondition: each index is a row.
  public func gatheredRows(at indices: some Collection<Int>) -> Matrix {
    var gathered: [Float] = []
    gathered.reserveCapacity(indices.count * columns)
    for index in indices { gathered += row(index) }
    return Matrix(rows: indices.count, columns: columns, values: gathered)
  }

  /// The rows of the tokens, each multiplied by its assignment's input factor.
  public func gatheredRows(for assignments: some Collection<Routing.Assignment>) -> Matrix {
    var gathered = gatheredRows(at: assignments.lazy.map(\.token))
    for (index, assignment) in assignments.enumerated() where assignment.inputFactor != 1 {
      for element in index * columns..<(index + 1) * columns {
        gathered.values[element] *= assignment.inputFactor
      }
    }
    return gathered
  }

  /// self[token] += weight · addend[i] for the i-th assignment.
  /// - Precondition: `addend` has a row for each assignment, and as many columns as `self`.
  public mutating func scatterAdd(_ addend: Matrix, to assignments: ArraySlice<Routing.Assignment>)
  {
    precondition(addend.rows == assignments.count && addend.columns == columns)
    for (index, assignment) in assignments.enumerated() {
      let source = index * columns
      let target = assignment.token * columns
      for column in 0..<columns {
        values[target + column] += assignment.weight * addend.values[source + column]
      }
    }
  }

  /// self += addend
  /// - Precondition: the shapes are equal.
  public mutating func add(_ addend: Matrix) {
    precondition(addend.rows == rows && addend.columns == columns)
    for index in values.indices { values[index] += addend.values[index] }
  }

  /// √(Σx² / n) over all elements, accumulated in Double; 0 for no elements.
  public var rootMeanSquare: Double {
    guard !values.isEmpty else { return 0 }
    let sum = values.reduce(0.0) { $0 + Double($1) * Double($1) }
    return (sum / Double(values.count)).squareRoot()
  }
}
