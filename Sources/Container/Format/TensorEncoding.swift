public import Quantization
public import Tensors

/// How the container stores a tensor.
public enum TensorEncoding: Sendable, Hashable {
  /// The elements one after the other, row-major.
  case plain(DType)
  /// Codes and scales, laid out by `QuantizedLayout`: all dimensions but the last are rows.
  case quantized(QuantizationFormat)

  /// Whether codes are indices into tables of levels.
  package var hasTables: Bool {
    if case .quantized(let format) = self { format.tableCount > 0 } else { false }
  }

  /// The largest number of rows or columns, so that no size of a layout overflows.
  private static let maximumSide = 1 << 48
  /// The largest number of elements.
  private static let maximumElementCount = 1 << 56

  /// The sizes of a tensor of this shape, or nil where the shape is too large, elements do not end
  /// on a whole byte, or the format cannot be stored.
  package func sizes(_ shape: Shape) -> TensorSizes? {
    switch self {
    case .plain(let dtype):
      guard let byteCount = shape.byteCount(of: dtype), byteCount <= Self.maximumElementCount else {
        return nil
      }
      return TensorSizes(byteCount: byteCount, payloadByteCount: byteCount, layout: nil)
    case .quantized(let format):
      guard format.isStorable, shape.elementCount <= Self.maximumElementCount,
        shape.dimensions.allSatisfy({ $0 <= Self.maximumSide }), shape.rows <= Self.maximumSide
      else { return nil }
      let layout = QuantizedLayout(format: format, rows: shape.rows, columns: shape.columns)
      return TensorSizes(
        byteCount: layout.byteCount, payloadByteCount: layout.payloadByteCount, layout: layout)
    }
  }
}

/// How many bytes a tensor takes.
package struct TensorSizes: Sendable, Hashable {
  /// All of them, padding between and after its planes included.
  package let byteCount: Int
  /// Elements, or all planes of codes and scales.
  package let payloadByteCount: Int
  /// Where the planes of a quantized tensor lie.
  package let layout: QuantizedLayout?
}

extension QuantizationFormat {
  /// Whether the fields of a tensor record can say this format.
  package var isStorable: Bool {
    func fits(_ side: Int?) -> Bool { side.map { $0 >= 1 && $0 < Int(UInt32.max) } ?? true }
    return fits(blockRows) && fits(blockColumns) && Self.scaleDTypes.contains(scale)
      && hasSoundTables
  }

  /// The types that scales may have. U8 holds the bytes of F8_E8M0, as some sources name them.
  package static let scaleDTypes: Set<DType> = [.f32, .bf16, .f16, .f8E8M0, .u8, .f8E4M3]
}
