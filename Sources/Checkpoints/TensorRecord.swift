public import Tensors

/// Where a tensor lies and what it is; its values stay on the disk.
public struct TensorRecord: Sendable, Hashable {
  /// The name as the file has it.
  public let name: String
  public let dtype: DType
  public let shape: Shape
  /// Which of the checkpoint's `files` holds it.
  public let fileIndex: Int
  /// Where in that file its bytes lie, checked to be inside: as they are needed, save for tensors of
  /// PyTorch and NumPy files that are deflated or not in row-major order.
  public let byteRange: Range<Int>

  /// The size of its values.
  public var byteCount: Int { shape.byteCount(of: dtype) ?? byteRange.count }

  package init(
    name: String, dtype: DType, shape: Shape, fileIndex: Int, byteRange: Range<Int>
  ) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.fileIndex = fileIndex
    self.byteRange = byteRange
  }
}
