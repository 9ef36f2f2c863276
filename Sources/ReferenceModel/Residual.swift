public import Tensors

/// How a layer's MLP joins the stream: stream · streamFactor + output · outputFactor.
public struct Residual: Sendable, Hashable {
  /// Whether the normalized stream, which the MLP receives, goes on in place of the stream.
  public let isNormalized: Bool
  public let streamFactor: Float
  public let outputFactor: Float

  /// The plain sum of stream and output.
  public static let plain = Residual(isNormalized: false, streamFactor: 1, outputFactor: 1)

  public init(isNormalized: Bool, streamFactor: Float, outputFactor: Float) {
    self.isNormalized = isNormalized
    self.streamFactor = streamFactor
    self.outputFactor = outputFactor
  }

  /// The stream after the MLP.
  /// - Parameter input: what the MLP received.
  /// - Precondition: the shapes are equal.
  public func callAsFunction(stream: Matrix, input: Matrix, output: Matrix) -> Matrix {
    precondition(stream.values.count == output.values.count)
    precondition(!isNormalized || input.values.count == output.values.count)
    var result = isNormalized ? input : stream
    for index in result.values.indices {
      result.values[index] =
        result.values[index] * streamFactor + output.values[index] * outputFactor
    }
    return result
  }
}
