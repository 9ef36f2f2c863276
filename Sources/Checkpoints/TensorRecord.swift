public import Tensors

/// Where a tensor lies and what it is; its values stay on the disk.
public struct TensorRecord: Sendable, Hashable {
  /// The name as the file has it.
  public let name: String
  public let dtype: DType
  public let shape: Shape
  /// Which of the checkpoint's `files` holds it.
  public let fileIndex: Int
  /// Where in that file its bytes lie, checked to be inside: as they are needed, save for tensors
  /// of PyTorch and NumPy files that are deflated or not in row-major order.
  public let byteRange: Range<Int>
  /// The format of a tensor of blocks, whose `dtype` is U8 and whose `shape` counts bytes; nil for
  /// any other.
  public let blocks: BlockFormat?

  /// The size of its values.
  public var byteCount: Int { shape.byteCount(of: dtype) ?? byteRange.count }

  package init(
    name: String, dtype: DType, shape: Shape, fileIndex: Int, byteRange: Range<Int>,
    blocks: BlockFormat? = nil
  ) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.fileIndex = fileIndex
    self.byteRange = byteRange
    self.blocks = blocks
  }

  /// The shape of the values, also of those in blocks.
  public var valueShape: Shape {
    guard let blocks, let columns = shape.dimensions.last else { return shape }
    let values = columns / blocks.bytesPerBlock * blocks.elementsPerBlock
    return Shape(shape.dimensions.dropLast() + [values]) ?? shape
  }
}
