/// A matrix of outputs × inputs inside a stored weight: of one expert in a stack, of gate or up
/// where both share a tensor, of either orientation.
public struct WeightPart: Sendable, Hashable {
  /// The rows of the weight, its leading dimensions taken as one, that hold the stored matrix.
  public let storedRows: Range<Int>
  /// Whether the stored matrix is inputs × outputs.
  public let isTransposed: Bool
  /// The output of the stored matrix that comes first here.
  public let firstOutput: Int
  /// From each output to the next: 1, or 2 where two matrices alternate.
  public let outputStride: Int
  public let outputCount: Int

  public init(
    storedRows: Range<Int>, isTransposed: Bool, firstOutput: Int, outputStride: Int,
    outputCount: Int
  ) {
    self.storedRows = storedRows
    self.isTransposed = isTransposed
    self.firstOutput = firstOutput
    self.outputStride = outputStride
    self.outputCount = outputCount
  }

  /// The shape of the part, outputs × inputs.
  /// - Parameter columns: the columns of the stored weight.
  public func shape(columns: Int) -> Shape {
    Shape(rows: outputCount, columns: isTransposed ? storedRows.count : columns)
  }
}
