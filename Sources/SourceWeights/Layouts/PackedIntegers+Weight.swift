import Checkpoints
import Quantization
import Tensors

extension PackedIntegers {
  /// The format that holds these codes and scales without loss; nil if there is none, and weights
  /// have to be decoded.
  var format: QuantizationFormat? {
    // Groups of inputs that are no neighbours have no place in any format.
    if isReordered { return nil }
    func format(_ code: CodeFormat, hasZeroPoints: Bool = false) -> QuantizationFormat {
      .init(
        code: code, blockRows: 1, blockColumns: groupSize, scale: scales.dtype,
        hasZeroPoints: hasZeroPoints)
    }
    switch (bits, isSymmetric) {
    case (4, true): return format(.int4)
    case (4, false): return format(.uint4, hasZeroPoints: true)
    // A code of up to 7 bits less its zero point is a signed byte.
    case (...7, _), (8, true): return format(.int8)
    default: return nil
    }
  }
}

extension SourceWeight {
  static func integers(
    _ integers: PackedIntegers, of tensor: TensorRecord, name: String, layoutName: String,
    shape: Shape, others: [TensorRecord] = []
  ) -> SourceWeight {
    SourceWeight(
      name: name, shape: shape,
      encoding: integers.format.map { .quantized($0) } ?? .plain(.f32),
      layout: .integers(integers),
      layoutName: layoutName + (integers.isReordered ? ", reordered groups" : ""), primary: tensor,
      companions: [integers.scales]
        + [integers.zeroPoints, integers.groupIndex].compactMap { $0 } + others)
  }
}
