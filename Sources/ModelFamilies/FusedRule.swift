import Tensors

/// How one tensor holds several matrices of MLPs.
struct FusedRule: Sendable {
  /// How matrices that share a stored matrix lie in its outputs.
  enum Order: Sendable {
    /// One after the other.
    case consecutive
    /// In turns.
    case interleaved
  }

  /// The roles of the matrices that share a stored matrix, in their order.
  let roles: [TensorRole]
  let order: Order
  /// How a stored matrix lies.
  enum Orientation: Sendable {
    case outputsByInputs
    case inputsByOutputs
    /// The latter, but the former where the source stores codes.
    case inputsByOutputsIfPlain
  }

  let orientation: Orientation
  /// Whether there is a matrix for each expert, one after the other.
  let isStacked: Bool

  init(
    _ roles: [TensorRole], order: Order = .consecutive,
    _ orientation: Orientation = .outputsByInputs, isStacked: Bool = true
  ) {
    self.roles = roles
    self.order = order
    self.orientation = orientation
    self.isStacked = isStacked
  }

  /// Whether the stored matrices of a weight are inputs × outputs.
  func isTransposed(_ weight: NamedShape) -> Bool {
    switch orientation {
    case .outputsByInputs: false
    case .inputsByOutputs: true
    case .inputsByOutputsIfPlain: !weight.isQuantized
    }
  }

  /// Whether a weight lies the other way round than the rule's shape says.
  func isTurned(_ weight: NamedShape) -> Bool {
    if case .inputsByOutputsIfPlain = orientation { weight.isQuantized } else { false }
  }

  /// The matrices of a tensor, expert after expert; none if it does not divide into them.
  func parts(
    of weight: NamedShape, assignment: TensorAssignment, expertCount: Int
  ) -> [TensorPart] {
    let shape = weight.shape
    let isTransposed = isTransposed(weight)
    let matrixCount = isStacked ? expertCount : 1
    guard matrixCount > 0, shape.rows % matrixCount == 0 else { return [] }
    let storedRowCount = shape.rows / matrixCount
    let outputCount = isTransposed ? shape.columns : storedRowCount
    guard outputCount % roles.count == 0 else { return [] }
    let count = outputCount / roles.count
    var parts: [TensorPart] = []
    for matrix in 0..<matrixCount {
      for (index, role) in roles.enumerated() {
        parts.append(
          TensorPart(
            assignment: TensorAssignment(
              role: role, layer: assignment.layer,
              expert: isStacked ? matrix : assignment.expert),
            part: WeightPart(
              storedRows: matrix * storedRowCount..<(matrix + 1) * storedRowCount,
              isTransposed: isTransposed,
              firstOutput: order == .interleaved ? index : index * count,
              outputStride: order == .interleaved ? roles.count : 1, outputCount: count),
            index: index))
      }
    }
    return parts
  }
}
