import Bytes
import Tensors

extension Checkpoint {
  /// The values of a tensor of F32, BF16, F16 or F64 (rounded), all at once: for small tensors.
  public func floats(of tensor: TensorRecord) throws(CheckpointsError) -> [Float] {
    let bytes = try bytes(of: tensor)
    return switch tensor.dtype {
    case .f32: bytes.elements(as: UInt32.self).map(Float.init(bitPattern:))
    case .bf16: bytes.elements(as: UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
    case .f16: bytes.elements(as: UInt16.self).map { Float(Float16(bitPattern: $0)) }
    case .f64: bytes.elements(as: UInt64.self).map { Float(Double(bitPattern: $0)) }
    default:
      throw .unsuitableDType(
        tensor: tensor.name, dtype: tensor.dtype, wanted: "F32, BF16, F16 or F64")
    }
  }

  /// The values of a tensor of whole numbers, all at once: for small tensors.
  public func integers(of tensor: TensorRecord) throws(CheckpointsError) -> [Int] {
    let bytes = try bytes(of: tensor)
    switch tensor.dtype {
    case .u8: return bytes.elements(as: UInt8.self).map(Int.init)
    case .i8: return bytes.elements(as: Int8.self).map(Int.init)
    case .u16: return bytes.elements(as: UInt16.self).map(Int.init)
    case .i16: return bytes.elements(as: Int16.self).map(Int.init)
    case .u32: return bytes.elements(as: UInt32.self).map(Int.init)
    case .i32: return bytes.elements(as: Int32.self).map(Int.init)
    case .i64: return bytes.elements(as: Int64.self).map(Int.init)
    case .u64:
      let values = bytes.elements(as: UInt64.self)
      if let index = values.firstIndex(where: { $0 > UInt64(Int.max) }) {
        throw .valueTooLarge(tensor: tensor.name, index: index)
      }
      return values.map { Int($0) }
    default:
      throw .unsuitableDType(
        tensor: tensor.name, dtype: tensor.dtype, wanted: "a dtype of whole numbers")
    }
  }
}

extension [UInt8] {
  /// These bytes as little-endian numbers.
  fileprivate func elements<T: FixedWidthInteger & BitwiseCopyable>(as type: T.Type) -> [T] {
    let size = MemoryLayout<T>.size
    return (0..<count / size).compactMap { littleEndian(at: $0 * size, as: T.self) }
  }
}
