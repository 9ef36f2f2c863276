import Checkpoints
import Quantization
import Tensors

/// The experts of gpt-oss (`quant_method: "mxfp4"`): `X_blocks` holds 16 bytes for 32 neighbours,
/// `X_scales` an exponent for each. Once decoded, `X` is `[experts, outputs, inputs]`.
struct MXFP4Layout: SourceLayout {
  let name = "mxfp4"

  func weight(
    of tensor: TensorRecord, in checkpoint: Checkpoint
  ) throws(SourceWeightsError) -> SourceWeight? {
    guard tensor.field.hasSuffix("_blocks") else { return nil }
    guard tensor.dtype == .u8 else {
      throw .wrongDType(tensor: tensor.name, dtype: tensor.dtype, expected: [.u8])
    }
    let dimensions = tensor.shape.dimensions
    guard dimensions.count >= 3, dimensions.last == 16 else {
      throw .unsupportedShape(tensor: tensor.name, shape: tensor.shape)
    }
    let (columns, overflow) = dimensions[dimensions.count - 2].multipliedReportingOverflow(by: 32)
    guard !overflow, let shape = Shape(dimensions.dropLast(2) + [columns]) else {
      throw .unsupportedShape(tensor: tensor.name, shape: tensor.shape)
    }
    let name = String(tensor.name.dropLast("_blocks".count))
    return try .rows(
      of: tensor, name: name, layoutName: "gpt-oss MXFP4", shape: shape, code: .e2m1,
      blocks: .group(32), scales: try checkpoint.companion([name + "_scales"], of: tensor),
      scaleDTypes: [.u8, .f8E8M0])
  }
}
