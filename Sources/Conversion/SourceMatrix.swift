public import ModelFamilies
public import SourceWeights
import Tensors

/// What has a fate of its own: a weight of the source, or one of the matrices that it holds.
public struct SourceMatrix: Sendable {
  public let source: SourceWeight
  public let place: TensorAssignment
  /// Nil for a whole weight.
  public let part: TensorPart?

  /// The logical shape.
  var shape: Shape { part?.part.shape(columns: source.columns) ?? source.shape }

  /// The bytes that the source spends on it, companions included; of a part, its share.
  var byteCount: Int {
    guard part != nil, source.shape.elementCount > 0 else { return source.byteCount }
    let share = Double(shape.elementCount) / Double(source.shape.elementCount)
    return Int((Double(source.byteCount) * share).rounded())
  }

  /// All matrices of the weights, in their order.
  /// - Parameter places: the roles of the weights.
  static func all(
    of weights: [SourceWeight], places: [TensorAssignment], description: ModelDescription
  ) -> [SourceMatrix] {
    var matrices: [SourceMatrix] = []
    matrices.reserveCapacity(weights.count)
    for (weight, place) in zip(weights, places) {
      let parts = description.parts(of: weight.name)
      if parts.isEmpty {
        matrices.append(SourceMatrix(source: weight, place: place, part: nil))
      }
      for part in parts {
        matrices.append(SourceMatrix(source: weight, place: part.assignment, part: part))
      }
    }
    return matrices
  }
}

/// Where the matrices are that a description refers to.
struct MatrixTable {
  private let places: [WeightReference: Int]

  init(_ matrices: [SourceMatrix]) {
    places = Dictionary(
      matrices.enumerated().map { index, matrix in
        (WeightReference(name: matrix.source.name, part: matrix.part?.part), index)
      }, uniquingKeysWith: { first, _ in first })
  }

  subscript(reference: WeightReference) -> Int? { places[reference] }
}
