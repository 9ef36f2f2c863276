import Checkpoints
import Quantization
import Tensors

/// The part of a weight that shares a scale.
enum ScaleBlocks: Equatable, Sendable {
  case tensor
  case channel
  /// This many neighbours in a row.
  case group(Int)
  case grid(rows: Int, columns: Int)

  /// The block of a format and the shapes that the scales of a weight of this shape may have; nil
  /// if the shape does not divide into such blocks.
  func blocks(
    of shape: Shape
  ) -> (rows: Int?, columns: Int?, scaleShapes: [[Int]])? {
    guard shape.rank >= 2 else { return nil }
    let leading = Array(shape.dimensions.dropLast(2))
    let (rows, columns) = (shape.dimensions[shape.rank - 2], shape.columns)
    switch self {
    case .tensor: return (nil, nil, [[], [1]])
    case .channel: return (1, nil, [leading + [rows], leading + [rows, 1]])
    case .group(let size):
      return (1, size, [leading + [rows, blockCount(columns, per: size)]])
    case .grid(let blockRows, let blockColumns):
      // Stacked matrices are read as one: each must end where a block ends.
      guard leading.isEmpty || rows % blockRows == 0 else { return nil }
      let grid = [blockCount(rows, per: blockRows), blockCount(columns, per: blockColumns)]
      // ModelOpt writes the grid with axes of one between.
      return (
        blockRows, blockColumns,
        [leading + [grid[0], 1, grid[1], 1], leading + grid]
      )
    }
  }
}

extension SourceWeight {
  /// A weight whose codes lie as a format has them.
  /// - Parameter shape: the shape of the weight, once decoded.
  static func rows(
    of tensor: TensorRecord, name: String, layoutName: String?, shape: Shape, code: CodeFormat,
    blocks: ScaleBlocks, scales: TensorRecord, scaleDTypes: [DType] = DType.scales,
    globalScale: TensorRecord? = nil, dividesByGlobalScale: Bool = false
  ) throws(SourceWeightsError) -> SourceWeight {
    guard let (blockRows, blockColumns, scaleShapes) = blocks.blocks(of: shape) else {
      throw .unsupportedShape(tensor: tensor.name, shape: tensor.shape)
    }
    try scales.check(dtypes: scaleDTypes, shapes: scaleShapes, weightShape: shape)
    // A quotient has no other type than Float32.
    let format = QuantizationFormat(
      code: code, blockRows: blockRows, blockColumns: blockColumns,
      scale: dividesByGlobalScale ? .f32 : scales.dtype.scaleMeaning,
      hasGlobalScale: globalScale != nil && !dividesByGlobalScale)
    return SourceWeight(
      name: name, shape: shape, encoding: .quantized(format),
      layout: .rows(
        RowCodes(
          scales: scales, globalScale: globalScale, dividesByGlobalScale: dividesByGlobalScale)),
      layoutName: layoutName, primary: tensor,
      companions: [scales] + [globalScale].compactMap { $0 })
  }
}
