import Checkpoints
package import SystemPackage
package import Tensors

/// What a file of expected values holds.
package struct ExpectedValues {
  private let file: Checkpoint

  package init(path: FilePath) throws {
    file = try Checkpoint(path: path)
  }

  package func has(_ name: String) -> Bool { file[name] != nil }

  /// - Throws: `MissingValue`.
  package func matrix(_ name: String) throws -> Matrix {
    let record = try record(name)
    return Matrix(
      rows: record.shape.rows, columns: record.shape.columns, values: try file.floats(of: record))
  }

  /// - Throws: `MissingValue`.
  package func integers(_ name: String) throws -> [Int] {
    try file.integers(of: record(name))
  }

  private func record(_ name: String) throws -> TensorRecord {
    guard let record = file[name] else { throw MissingValue(name: name, file: file.path) }
    return record
  }
}

/// A file of expected values lacks a tensor.
struct MissingValue: Error, CustomStringConvertible {
  let name: String
  let file: FilePath

  var description: String { "\(file): no tensor '\(name)'" }
}

/// ‖a − b‖ / ‖b‖ over all elements.
package func relativeError(_ matrix: Matrix, _ reference: Matrix) -> Double {
  guard matrix.rows == reference.rows, matrix.columns == reference.columns else { return .infinity }
  var difference = 0.0
  var norm = 0.0
  for (value, expected) in zip(matrix.values, reference.values) {
    difference += (Double(value) - Double(expected)) * (Double(value) - Double(expected))
    norm += Double(expected) * Double(expected)
  }
  return (difference / norm).squareRoot()
}
