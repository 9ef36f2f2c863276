import Bytes
import Tensors

/// How to get at the values of a tensor that do not lie in the file one after the other: they are
/// deflated there, or in another order.
struct ScatteredTensor: Sendable {
  /// The most bytes that such a tensor may span: they are rearranged in memory.
  static let byteLimit = 512 << 20

  let shape: Shape
  /// In elements, one for each dimension.
  let strides: [Int]
  let elementByteCount: Int
  /// The bytes from the first element to the last, within `archive`'s entry, else within the file.
  let span: Range<Int>
  /// Where the bytes have to be inflated from.
  let deflated: (archive: ZipArchive, entry: ZipEntry)?

  /// The values in row-major order.
  func values(from file: File) throws(CheckpointsError) -> [UInt8] {
    var bytes: [UInt8]
    if let (archive, entry) = deflated {
      bytes = try archive.bytes(of: entry, limit: Self.byteLimit)
      if span != 0..<bytes.count { bytes = Array(bytes[span]) }
    } else {
      bytes = try file.read(span)
    }
    if strides == Self.contiguousStrides(shape) { return bytes }
    return switch elementByteCount {
    case 1: gathered(bytes, as: UInt8.self)
    case 2: gathered(bytes, as: UInt16.self)
    case 4: gathered(bytes, as: UInt32.self)
    default: gathered(bytes, as: UInt64.self)
    }
  }

  /// The strides of row-major order; those of dimensions of 1 do not matter and are made so.
  static func contiguousStrides(_ shape: Shape) -> [Int] {
    var strides: [Int] = []
    var stride = 1
    for dimension in shape.dimensions.reversed() {
      strides.append(stride)
      stride *= max(dimension, 1)
    }
    return strides.reversed()
  }

  private func gathered<T: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: [UInt8], as type: T.Type
  ) -> [UInt8] {
    let size = MemoryLayout<T>.size
    var result = [UInt8](repeating: 0, count: shape.elementCount * size)
    var target = result.mutableRawSpan
    let source = bytes.rawSpan
    let columns = shape.columns
    let columnStride = strides.last ?? 1
    var indices = [Int](repeating: 0, count: max(0, shape.rank - 1))
    for row in 0..<(columns == 0 ? 0 : shape.elementCount / columns) {
      var position = zip(indices, strides).reduce(0) { $0 + $1.0 * $1.1 } * size
      for column in 0..<columns {
        let value = source.littleEndian(at: position, as: type) ?? 0
        _ = target.storeLittleEndian(value, at: (row * columns + column) * size)
        position += columnStride * size
      }
      for dimension in indices.indices.reversed() {
        indices[dimension] += 1
        if indices[dimension] < shape.dimensions[dimension] { break }
        indices[dimension] = 0
      }
    }
    return result
  }
}
