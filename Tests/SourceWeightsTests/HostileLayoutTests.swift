import Bytes
import Checkpoints
import FixtureChecks
import FixtureSupport
import SourceWeights
import Testing

/// Every layout with one thing wrong is refused, by the name of a tensor.
struct HostileLayoutTests {
  /// What is done to a sound layout.
  enum Damage: Sendable {
    case missing
    case shape
    case dtype
    /// The bytes of one element.
    case value([UInt8])
    /// Another text in the configuration.
    case config(String, String)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let fixture: String
    let tensor: String
    let damage: Damage
    /// The tensor that the message must name, where that is another.
    var names: String?

    var testDescription: String { "\(fixture): \(tensor) \(damage)" }
  }

  static let nan32: [UInt8] = [0, 0, 0xC0, 0x7F]
  static let nan16: [UInt8] = [0xC0, 0x7F]

  /// The tensor of codes, the companions, and the bytes of a NaN in each that can hold one.
  static let layouts: [(fixture: String, codes: String, companions: [(String, [UInt8]?)])] = [
    ("fp8_block_f32scale", "x.weight", [("x.weight_scale_inv", nan32)]),
    ("fp8_block_bf16scale", "x.weight", [("x.weight_scale_inv", nan16)]),
    ("fp8_block_e8m0scale", "x.weight", [("x.scale", [0xFF])]),
    ("ct_fp8_channel", "x.weight", [("x.weight_scale", nan16)]),
    ("fp4_dsv4_experts", "x.weight", [("x.scale", [0xFF])]),
    ("mxfp4_gpt_oss", "x.gate_up_proj_blocks", [("x.gate_up_proj_scales", [0xFF])]),
    ("ct_mxfp4", "x.weight_packed", [("x.weight_scale", [0xFF])]),
    (
      "ct_nvfp4", "x.weight_packed",
      [("x.weight_scale", [0x7F]), ("x.weight_global_scale", nan32)]
    ),
    ("nvfp4_modelopt", "x.weight", [("x.weight_scale", [0x7F]), ("x.weight_scale_2", nan32)]),
    ("ct_int4_sym_g32", "x.weight_packed", [("x.weight_scale", nan16), ("x.weight_shape", nil)]),
    (
      "ct_int4_asym_g32", "x.weight_packed",
      [("x.weight_scale", nan16), ("x.weight_zero_point", nil), ("x.weight_shape", nil)]
    ),
    ("ct_int8_sym_g128", "x.weight_packed", [("x.weight_scale", nan16), ("x.weight_shape", nil)]),
    ("gptq_4bit_sym_v1", "x.qweight", [("x.scales", [0, 0x7E]), ("x.qzeros", nil)]),
    (
      "gptq_4bit_asym_actorder_v1", "x.qweight",
      [("x.scales", [0, 0x7E]), ("x.qzeros", nil), ("x.g_idx", [2, 0, 0, 0])]
    ),
    ("gptq_8bit_sym_v1", "x.qweight", [("x.scales", [0, 0x7E]), ("x.qzeros", nil)]),
    ("awq_gemm_g32", "x.qweight", [("x.scales", [0, 0x7E]), ("x.qzeros", nil)]),
    ("ct_int8_channel", "x.weight", [("x.weight_scale", nan16)]),
    (
      "ct_int4_sym_g_idx", "x.weight_packed",
      [("x.weight_g_idx", [3, 0, 0, 0]), ("x.weight_scale", nan16), ("x.weight_shape", nil)]
    ),
    (
      "bnb_nf4", "x.weight",
      [
        ("x.weight.absmax", nan32), ("x.weight.quant_map", nan32),
        ("x.weight.quant_state.bitsandbytes__nf4", nil),
      ]
    ),
    (
      "bnb_fp4", "x.weight",
      [
        ("x.weight.absmax", nan32), ("x.weight.quant_map", nan32),
        ("x.weight.quant_state.bitsandbytes__fp4", nil),
      ]
    ),
    (
      "bnb_fp4_dq", "x.weight",
      [
        ("x.weight.absmax", nil), ("x.weight.nested_absmax", nan32),
        ("x.weight.nested_quant_map", nan32), ("x.weight.quant_state.bitsandbytes__fp4", nil),
      ]
    ),
  ]

  static let contradictions: [Case] = [
    .init(
      fixture: "fp8_block_f32scale", tensor: "x.weight_scale_inv",
      damage: .config("[128, 128]", "[64, 128]")),
    .init(
      fixture: "ct_fp8_channel", tensor: "x.weight_scale",
      damage: .config("\"channel\"", "\"tensor\"")),
    .init(
      fixture: "ct_fp8_channel", tensor: "x.weight",
      damage: .config("float-quantized", "int-quantized")),
    .init(
      fixture: "fp4_dsv4_experts", tensor: "x.scale", damage: .config("\"fp4\"", "\"fp8\""),
      names: "x."),
    .init(
      fixture: "ct_mxfp4", tensor: "x.weight_packed",
      damage: .config("mxfp4-pack-quantized", "nvfp4-pack-quantized")),
    .init(
      fixture: "ct_nvfp4", tensor: "x.weight_scale",
      damage: .config("nvfp4-pack-quantized", "mxfp4-pack-quantized")),
    .init(
      fixture: "nvfp4_modelopt", tensor: "x.weight",
      damage: .config("\"quant_algo\": \"NVFP4\"", "\"quant_algo\": \"FP8\"")),
    .init(
      fixture: "ct_int4_sym_g32", tensor: "x.weight_scale",
      damage: .config("\"group_size\": 32", "\"group_size\": 64")),
    .init(
      fixture: "ct_int4_sym_g32", tensor: "x.weight_packed",
      damage: .config("\"num_bits\": 4", "\"num_bits\": 8")),
    .init(
      fixture: "ct_int4_sym_g32", tensor: "x.weight_packed",
      damage: .config("\"lm_head\"", "\"re:x\"")),
    .init(
      fixture: "ct_int4_sym_g32", tensor: "x.weight_packed",
      damage: .config("\"Linear\"", "\"re:y\"")),
    .init(
      fixture: "ct_int4_sym_g32", tensor: "x.weight_zero_point",
      damage: .config("\"symmetric\": true", "\"symmetric\": false")),
    .init(
      fixture: "gptq_4bit_sym_v1", tensor: "x.scales",
      damage: .config("\"group_size\": 32", "\"group_size\": 16")),
    .init(
      fixture: "gptq_4bit_sym_v1", tensor: "x.scales", damage: .config("\"bits\": 4", "\"bits\": 8")
    ),
    .init(
      fixture: "gptq_4bit_sym_v1", tensor: "x.qzeros",
      damage: .config("\"checkpoint_format\": \"gptq\"", "\"checkpoint_format\": \"gptq_v2\"")),
    .init(
      fixture: "gptq_4bit_asym_actorder_v1", tensor: "x.g_idx",
      damage: .config("\"desc_act\": true", "\"desc_act\": false")),
    .init(
      fixture: "awq_gemm_g32", tensor: "x.scales",
      damage: .config("\"group_size\": 32", "\"group_size\": 64")),
    .init(
      fixture: "ct_int8_channel", tensor: "x.weight",
      damage: .config(
        "\"num_bits\": 8, \"type\": \"int\"", "\"num_bits\": 8, \"type\": \"float\"")),
    .init(fixture: "bnb_nf4", tensor: "x.weight", damage: .config("\"nf4\"", "\"fp4\"")),
    .init(fixture: "bnb_fp4", tensor: "x.weight", damage: .config("\"fp4\"", "\"nf4\"")),
    .init(fixture: "bnb_fp4_dq", tensor: "x.weight", damage: .config("\"fp4\"", "\"nf4\"")),
    .init(
      fixture: "fp8_block_bf16scale", tensor: "x.weight_scale_inv",
      damage: .config("[128, 128]", "[128, 64]")),
    .init(
      fixture: "fp8_block_e8m0scale", tensor: "x.scale",
      damage: .config("[128, 128]", "[64, 128]")),
    .init(
      fixture: "mxfp4_gpt_oss", tensor: "x.gate_up_proj_blocks",
      damage: .config(
        "\"quant_method\": \"mxfp4\"", "\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 32"
      ),
      names: "x."),
    .init(
      fixture: "ct_int4_asym_g32", tensor: "x.weight_zero_point",
      damage: .config("\"symmetric\": false", "\"symmetric\": true")),
    .init(
      fixture: "ct_int4_asym_g32", tensor: "x.weight_scale",
      damage: .config("\"group_size\": 32", "\"group_size\": 128")),
    .init(
      fixture: "ct_int8_sym_g128", tensor: "x.weight_packed",
      damage: .config("\"num_bits\": 8", "\"num_bits\": 4")),
    .init(
      fixture: "gptq_8bit_sym_v1", tensor: "x.scales",
      damage: .config("\"bits\": 8", "\"bits\": 4"), names: "x."),
  ]

  static let cases: [Case] =
    layouts.flatMap { fixture, codes, companions in
      [
        Case(fixture: fixture, tensor: codes, damage: .missing, names: "x."),
        Case(fixture: fixture, tensor: codes, damage: .shape, names: "x."),
        Case(fixture: fixture, tensor: codes, damage: .dtype, names: "x."),
      ]
        + companions.flatMap { name, nan in
          [
            Case(fixture: fixture, tensor: name, damage: .missing),
            Case(fixture: fixture, tensor: name, damage: .shape),
            Case(fixture: fixture, tensor: name, damage: .dtype),
          ] + (nan.map { [Case(fixture: fixture, tensor: name, damage: .value($0))] } ?? [])
        }
    } + contradictions

  @Test(arguments: cases) func isRefused(_ hostile: Case) throws {
    var fixture = try LayoutFixture(hostile.fixture)
    switch hostile.damage {
    case .missing: fixture.tensors.removeAll { $0.name == hostile.tensor }
    case .shape:
      // As many bytes, one row less: the shape is that of nothing.
      let tensor = fixture[hostile.tensor]
      fixture[hostile.tensor].shape = [1, 1, 1] + tensor.shape + [1]
    case .dtype:
      let tensor = fixture[hostile.tensor]
      let elementCount = tensor.shape.reduce(1, *)
      let size = elementCount == 0 ? 1 : tensor.bytes.count / elementCount
      // Of the same size, and never right.
      fixture[hostile.tensor].dtype = [1: "BOOL", 2: "I16", 4: "U32", 8: "F64"][size]!
    case .value(let bytes):
      fixture[hostile.tensor].bytes.replaceSubrange(0..<bytes.count, with: bytes)
    case .config(let old, let new):
      let config = fixture.config.replacing(old, with: new)
      #expect(config != fixture.config)
      fixture.config = config
    }
    try withCheckpoint(fixture.tensors, config: fixture.config) { checkpoint in
      let error = #expect(throws: SourceWeightsError.self) {
        let weights = try SourceWeights(checkpoint: checkpoint)
        for weight in weights.weights { _ = try decode(weight, checkpoint, tileRows: 8) }
      }
      let description = error?.description ?? ""
      #expect(description.contains(hostile.names ?? hostile.tensor), "\(description)")
      #expect(error?.kind == .invalidInput && !description.contains("\n"))
    }
  }
}
