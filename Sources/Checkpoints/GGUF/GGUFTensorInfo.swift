import Bytes
import Tensors

/// What a GGUF header says of one tensor.
struct GGUFTensorInfo {
  let name: String
  let dtype: DType
  let blocks: BlockFormat?
  /// Outermost dimension first; of blocks, it counts bytes.
  let shape: Shape
  /// The bytes of its values.
  let byteCount: Int
  /// Relative to the beginning of the data.
  let offset: UInt64
  /// Where the header says so.
  let offsetByteOffset: Int

  @_lifetime(cursor: copy cursor)
  init(_ cursor: inout GGUFCursor, index: Int) throws(GGUFCursor.Stop) {
    let name = try cursor.name(of: "tensor \(index)")
    let what = "the description of tensor \(name)"
    let rankByteOffset = cursor.byteOffset
    let rank = try cursor.integer(as: UInt32.self, in: what)
    guard rank <= 4 else {
      throw cursor.error(.tooManyDimensions(tensor: name, count: rank), at: rankByteOffset)
    }
    var dimensions: [Int] = []
    let shapeByteOffset = cursor.byteOffset
    for _ in 0..<rank {
      let dimension = try cursor.integer(as: UInt64.self, in: what)
      guard let dimension = Int(exactly: dimension) else {
        throw cursor.error(.shapeTooLarge(tensor: name), at: shapeByteOffset)
      }
      dimensions.append(dimension)
    }
    let typeByteOffset = cursor.byteOffset
    let type = try cursor.integer(as: UInt32.self, in: what)
    offsetByteOffset = cursor.byteOffset
    offset = try cursor.integer(as: UInt64.self, in: what)
    // GGUF names the dimension first along which elements are contiguous.
    guard let shape = Shape(dimensions.reversed()) else {
      throw cursor.error(.shapeTooLarge(tensor: name), at: shapeByteOffset)
    }
    if let dtype = Self.plainType(type) {
      (self.dtype, blocks) = (dtype, nil)
      self.shape = shape
    } else if let format = BlockFormat(rawValue: type) {
      (dtype, blocks) = (.u8, format)
      guard shape.columns % format.elementsPerBlock == 0 else {
        throw cursor.error(
          .partialBlock(
            tensor: name, type: format.name, columns: shape.columns,
            elementsPerBlock: format.elementsPerBlock), at: shapeByteOffset)
      }
      let columns = (shape.columns / format.elementsPerBlock).multipliedReportingOverflow(
        by: format.bytesPerBlock)
      guard !columns.overflow,
        let bytes = Shape(shape.dimensions.dropLast() + [columns.partialValue])
      else { throw cursor.error(.shapeTooLarge(tensor: name), at: shapeByteOffset) }
      self.shape = bytes
    } else {
      throw cursor.error(
        .unsupportedType(tensor: name, type: Self.unsupportedName(type)), at: typeByteOffset)
    }
    guard let byteCount = self.shape.byteCount(of: dtype) else {
      throw cursor.error(.shapeTooLarge(tensor: name), at: shapeByteOffset)
    }
    self.name = name
    self.byteCount = byteCount
  }

  private static func plainType(_ type: UInt32) -> DType? {
    switch type {
    case 0: .f32
    case 1: .f16
    case 24: .i8
    case 25: .i16
    case 26: .i32
    case 27: .i64
    case 28: .f64
    case 30: .bf16
    default: nil
    }
  }

  /// Types that ggml computes with, gave up, or that gguf-py has no decoder for.
  private static func unsupportedName(_ type: UInt32) -> String {
    switch type {
    case 4: "Q4_2 (given up by ggml)"
    case 5: "Q4_3 (given up by ggml)"
    case 9: "Q8_1"
    case 15: "Q8_K"
    case 31: "Q4_0_4_4 (given up by ggml)"
    case 32: "Q4_0_4_8 (given up by ggml)"
    case 33: "Q4_0_8_8 (given up by ggml)"
    case 36, 37, 38: "IQ4_NL, interleaved (given up by ggml)"
    case 41: "Q1_0"
    default: "\(type)"
    }
  }
}
