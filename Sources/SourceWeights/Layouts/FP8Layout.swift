import Bytes
import Checkpoints
import Quantization
import Tensors

/// E4M3 with a scale per block, as DeepSeek-V3 is released, or per tensor (`quant_method: "fp8"`);
/// and beside it the FP4 experts of DeepSeek-V4.
struct FP8Layout: SourceLayout {
  let name = "fp8"
  private let blocks: ScaleBlocks
  /// Whether the configuration says that experts are FP4.
  private let hasFP4Experts: Bool

  /// The grid comes from the configuration, never from the shapes, which do not tell it where the
  /// last blocks are partial.
  init(_ settings: QuantizationSettings) throws(SourceWeightsError) {
    if let format = settings["fmt"], !format.isNull,
      !["e4m3", "float8_e4m3fn"].contains(format.string)
    {
      throw .unknownSetting(key: "fmt", found: describe(format))
    }
    if settings["weight_block_size"] == .null {
      blocks = .tensor
    } else {
      let grid = try QuantizationSettings.grid(
        settings["weight_block_size"], key: "weight_block_size")
      blocks = .grid(rows: grid.rows, columns: grid.columns)
    }
    let experts = [settings["expert_dtype"], settings.config["expert_dtype"]]
    hasFP4Experts = experts.contains(.string("fp4"))
  }

  func weight(
    of tensor: TensorRecord, in checkpoint: Checkpoint
  ) throws(SourceWeightsError) -> SourceWeight? {
    // DeepSeek-V4 says `X.scale` for `X.weight`.
    var names = [tensor.name + "_scale_inv"]
    if tensor.field == "weight" { names.append(tensor.modulePrefix + "scale") }
    switch tensor.dtype {
    case .f8E4M3:
      let scales = try checkpoint.companion(names, of: tensor)
      var blocks = blocks
      // Groups of 32 with exponents for scales (MXFP8) have another grid than any block.
      if scales.dtype.scaleMeaning == .f8E8M0, let rows = tensor.shape.dimensions.dropLast().last,
        tensor.shape.columns > 32, scales.shape.rank == tensor.shape.rank, rows > 1,
        scales.shape.dimensions.dropLast().last == rows,
        scales.shape.columns == blockCount(tensor.shape.columns, per: 32)
      {
        blocks = .group(32)
      }
      return try .rows(
        of: tensor, name: tensor.name, layoutName: nil, shape: tensor.shape, code: .e4m3,
        blocks: blocks, scales: scales)
    case .i8 where hasFP4Experts && tensor.field == "weight":
      let scales = try checkpoint.companion(names.reversed(), of: tensor)
      return try .rows(
        of: tensor, name: tensor.name, layoutName: "DeepSeek-V4 FP4",
        shape: try tensor.unpackedShape(codesPerElement: 2), code: .e2m1, blocks: .group(32),
        scales: scales, scaleDTypes: [.f8E8M0, .u8])
    default: return nil
    }
  }
}

extension TensorRecord {
  /// The shape of the weight whose codes lie several to an element along the last dimension.
  func unpackedShape(codesPerElement: Int) throws(SourceWeightsError) -> Shape {
    let (columns, overflow) = shape.columns.multipliedReportingOverflow(by: codesPerElement)
    guard shape.rank >= 2, !overflow, let unpacked = Shape(shape.dimensions.dropLast() + [columns])
    else { throw .unsupportedShape(tensor: name, shape: shape) }
    return unpacked
  }
}
