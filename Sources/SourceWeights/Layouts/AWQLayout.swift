import Checkpoints
import Bytes
import Tensors

/// AWQ for the "gemm" kernels: `qweight` packs eight outputs of an input to a word, interleaved.
struct AWQLayout: SourceLayout {
  let name = "awq"
  private let groupSize: Int?

  init(_ settings: QuantizationSettings) throws(SourceWeightsError) {
    let version = settings["version"]?.string?.lowercased() ?? "gemm"
    guard version == "gemm" else {
      throw .unsupportedLayout(name: "awq, version \(version)", tensor: nil)
    }
    _ = try settings.int("bits", in: 4...4)
    guard try settings.bool("zero_point", absent: true) else {
      throw .unsupportedLayout(name: "awq without zero points", tensor: nil)
    }
    guard let size = settings["group_size"]?.int,
      size == -1 || QuantizationSettings.blockSizes.contains(size)
    else { throw .unknownSetting(key: "group_size", found: describe(settings["group_size"])) }
    groupSize = size == -1 ? nil : size
  }

  func weight(
    of tensor: TensorRecord, in checkpoint: Checkpoint
  ) throws(SourceWeightsError) -> SourceWeight? {
    guard tensor.field == "qweight" else { return nil }
    guard tensor.dtype == .i32 else {
      throw .wrongDType(tensor: tensor.name, dtype: tensor.dtype, expected: [.i32])
    }
    guard tensor.shape.rank == 2, tensor.shape.columns <= Int.max / 8,
      tensor.shape.elementCount > 0,
      let shape = Shape([tensor.shape.columns * 8, tensor.shape.rows])
    else { throw .unsupportedShape(tensor: tensor.name, shape: tensor.shape) }
    let prefix = tensor.modulePrefix
    let groupSize = groupSize ?? shape.columns
    let groupCount = blockCount(shape.columns, per: groupSize)
    let integers = PackedIntegers(
      order: .interleavedOutputs, bits: 4, codesPerWord: nil, groupSize: groupSize,
      scales: try checkpoint.companion(
        prefix + "scales", of: tensor, dtypes: DType.floatScales,
        shapes: [[groupCount, shape.dimensions[0]]], weightShape: shape),
      zeroPoints: try checkpoint.companion(
        prefix + "qzeros", of: tensor, dtypes: [.i32],
        shapes: [[groupCount, tensor.shape.columns]], weightShape: shape),
      isSymmetric: false)
    return .integers(
      integers, of: tensor, name: prefix + "weight", layoutName: "AWQ, 4 bits", shape: shape)
  }
}
