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
  /// Whether a stored matrix is inputs × outputs.
  let isTransposed: Bool
  /// Whether there is a matrix for each expert, one after the other.
  let isStacked: Bool

  init(
    _ roles: [TensorRole], order: Order = .consecutive, isTransposed: Bool = false,
    isStacked: Bool = true
  ) {
    self.roles = roles
    self.order = order
    self.isTransposed = isTransposed
    self.isStacked = isStacked
  }

  /// The matrices of a tensor, expert after expert; none if it does not divide into them.
  func parts(
    of shape: Shape, assignment: TensorAssignment, expertCount: Int
  ) -> [TensorPart] {
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
