import Bytes
import ModelFamilies
import SourceWeights
import Tensors

/// How a tensor of the source holds several matrices: what a container says of it, so that an
/// export can put it together again.
struct FusedTensor: Sendable {
  let name: String
  /// As a plain checkpoint has it.
  let shape: Shape
  /// The rows of a stored matrix.
  let matrixRowCount: Int
  let isTransposed: Bool
  /// From each output of a part to the next.
  let outputStride: Int
  /// The first output of each part.
  let firstOutputs: [Int]

  /// The tensors of a source that hold several matrices.
  static func all(of source: Source) -> [FusedTensor] {
    source.weights.weights.compactMap { weight in
      let parts = source.description.parts(of: weight.name)
      guard let first = parts.first else { return nil }
      var dimensions = weight.shape.dimensions
      var rowCount = first.part.storedRows.count
      let isTurned = source.description.isTurnedInPlainCheckpoints(weight.name)
      if isTurned, dimensions.count >= 2 {
        rowCount = weight.columns
        dimensions.swapAt(dimensions.count - 2, dimensions.count - 1)
      }
      return FusedTensor(
        name: weight.name, shape: Shape(dimensions) ?? weight.shape, matrixRowCount: rowCount,
        isTransposed: first.part.isTransposed != isTurned, outputStride: first.part.outputStride,
        firstOutputs: parts.prefix { $0.assignment.expert == first.assignment.expert }
          .map(\.part.firstOutput))
    }
  }

  /// The part that a tensor of a container is.
  /// - Parameter expert: nil where the tensor is of one matrix.
  func part(_ index: Int, expert: Int?) -> WeightPart {
    let first = shape.rows > matrixRowCount ? (expert ?? 0) * matrixRowCount : 0
    let outputCount = isTransposed ? shape.columns : matrixRowCount
    return WeightPart(
      storedRows: first..<first + matrixRowCount, isTransposed: isTransposed,
      firstOutput: firstOutputs[index], outputStride: outputStride,
      outputCount: outputCount / firstOutputs.count)
  }

  /// formats/container.md tells the keys.
  var json: JSONValue {
    .object([
      "tensor": .string(name), "shape": .array(shape.dimensions.map(JSONValue.integer)),
      "matrix_rows": .integer(matrixRowCount), "transposed": .bool(isTransposed),
      "output_stride": .integer(outputStride),
      "first_outputs": .array(firstOutputs.map(JSONValue.integer)),
    ])
  }

  /// Nil if it is not what `json` makes, or describes nothing that can be.
  init?(json: JSONValue) {
    guard let name = json["tensor"]?.string,
      let shape = json["shape"]?.array.flatMap({ Shape($0.compactMap(\.int)) }),
      let rows = json["matrix_rows"]?.int, let isTransposed = json["transposed"]?.bool,
      let stride = json["output_stride"]?.int,
      let firstOutputs = json["first_outputs"]?.array?.compactMap(\.int)
    else { return nil }
    guard rows > 0, shape.rows % rows == 0, shape.columns > 0, (1...16).contains(stride),
      (1...16).contains(firstOutputs.count)
    else { return nil }
    let outputCount = isTransposed ? shape.columns : rows
    let count = outputCount / firstOutputs.count
    guard
      firstOutputs.allSatisfy({
        $0 >= 0 && $0 <= outputCount && $0 + (count - 1) * stride < outputCount
      })
    else { return nil }
    self.init(
      name: name, shape: shape, matrixRowCount: rows, isTransposed: isTransposed,
      outputStride: stride, firstOutputs: firstOutputs)
  }

  private init(
    name: String, shape: Shape, matrixRowCount: Int, isTransposed: Bool, outputStride: Int,
    firstOutputs: [Int]
  ) {
    self.name = name
    self.shape = shape
    self.matrixRowCount = matrixRowCount
    self.isTransposed = isTransposed
    self.outputStride = outputStride
    self.firstOutputs = firstOutputs
  }
}
