import Checkpoints
import Tensors

/// Names by which releases call what decodes a weight.
enum CompanionName {
  private static let suffixes = [
    "_scale_inv", "_scale", "_scale_2", "_global_scale", "_zero_point", "_shape", "_g_idx",
  ]

  /// The name of the weight that a companion belongs to; nil for a tensor that is none.
  static func weight(of tensor: TensorRecord) -> String? {
    let name = tensor.name
    for suffix in suffixes where name.hasSuffix(suffix) {
      let weight = name.dropLast(suffix.count)
      // Only what is named after a weight: `input_scale` and `logit_scale` are none of these.
      let isScale = suffix.hasPrefix("_scale")
      if weight == "weight" || weight.hasSuffix(".weight") || isScale && weight.hasSuffix("_proj") {
        return String(weight)
      }
    }
    return nil
  }
}

/// Ways of packing weights into integers, told by the names that only they use.
enum PackedLayout {
  /// The layout that a tensor belongs to; nil for a tensor that stands for itself.
  static func name(of tensor: TensorRecord) -> String? {
    switch tensor.dtype {
    case .u8, .i8, .i32, .u32, .i16, .u16: break
    case .f8E8M0: return tensor.name.hasSuffix(".scale") ? "the layout of DeepSeek-V4" : nil
    default: return nil
    }
    let field = tensor.field
    switch field {
    case "qweight", "qzeros", "g_idx": return "GPTQ or AWQ packing"
    case "weight_packed", "weight_zero_point": return "compressed-tensors packing"
    case "absmax", "bitsandbytes__nf4", "bitsandbytes__fp4": return "bitsandbytes packing"
    default: break
    }
    if field.hasSuffix("_blocks") || field.hasSuffix("_scales") {
      return "the MXFP4 layout of gpt-oss"
    }
    if field == "weight" { return "a weight packed into \(tensor.dtype.rawValue)" }
    return nil
  }
}
