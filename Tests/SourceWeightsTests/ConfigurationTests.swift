import Bytes
import Checkpoints
import FixtureChecks
import FixtureSupport
import SourceWeights
import Testing

/// What configurations say: where they stand, groups, exceptions, and layouts that are not read.
struct ConfigurationTests {
  typealias Tensor = LayoutFixture.Tensor

  /// The tensors of a layout under the name of another module.
  static func tensors(_ fixture: String, as module: String) throws -> [Tensor] {
    try LayoutFixture(fixture).tensors.map {
      (module + $0.name.dropFirst(), $0.dtype, $0.shape, $0.bytes)
    }
  }

  /// Checks that a checkpoint decodes to what each layout's reference has.
  static func expect(
    _ modules: [(fixture: String, module: String)], config: String
  ) throws {
    let tensors = try modules.flatMap { try Self.tensors($0.fixture, as: $0.module) }
    try withCheckpoint(tensors, config: config) { checkpoint in
      let weights = try SourceWeights(checkpoint: checkpoint)
      #expect(weights.weights.count == modules.count)
      for (name, module) in modules {
        let fixture = try LayoutFixture(name)
        let weight = try #require(weights["\(module).weight"])
        let values = try decode(weight, checkpoint, tileRows: 16)
        #expect(values.map(fixture.rounded) == fixture.expected, "\(module)")
      }
    }
  }

  static func group(
    _ format: String, _ bits: Int, _ type: String, _ strategy: String, targets: String
  ) -> String {
    """
    {"format":"\(format)","targets":\(targets),"weights":{"num_bits":\(bits),"type":"\(type)",
    "symmetric":true,"strategy":"\(strategy)","group_size":\(type == "int" ? 32 : 16)}}
    """
  }

  @Test func severalGroupsAreResolvedByNameBeforeClass() throws {
    try Self.expect(
      [
        ("ct_nvfp4", "m.experts.0.up_proj"), ("ct_int4_sym_g32", "m.layers.1.down_proj"),
        ("ct_fp8_channel", "m.q_proj"),
      ],
      config: """
        {"text_config":{"quantization_config":{"quant_method":"compressed-tensors",
        "format":"mixed-precision","ignore":["re:.*router"],"config_groups":{
        "a":\(Self.group("float-quantized", 8, "float", "channel", targets: #"["Linear"]"#)),
        "b":\(Self.group("nvfp4-pack-quantized", 4, "float", "tensor_group", targets: #"["re:.*experts.*"]"#)),
        "c":\(Self.group("pack-quantized", 4, "int", "group", targets: #"["m.layers.1.down_proj"]"#))
        }}}}
        """)
  }

  @Test func modelOptMixesAlgorithms() throws {
    let layers = #""a":{"quant_algo":"NVFP4","group_size":16},"b":{"quant_algo":"FP8"}"#
    let config = """
      {"quantization_config":{"quant_method":"modelopt","quant_algo":"MIXED_PRECISION",
      "quantized_layers":{\(layers)}}}
      """
    let fp8: [Tensor] = [
      ("b.weight", "F8_E4M3", [1, 2], [0x38, 0xC0]),
      ("b.weight_scale", "F32", [], [0, 0, 0, 0x3F]),
      ("b.input_scale", "F32", [], [0, 0, 0, 0x3F]),
      ("k_proj.k_scale", "F32", [], [0, 0, 0x80, 0x3F]),
    ]
    let nvfp4 = try LayoutFixture("nvfp4_modelopt")
    try withCheckpoint(Self.tensors("nvfp4_modelopt", as: "a") + fp8, config: config) {
      checkpoint in
      let weights = try SourceWeights(checkpoint: checkpoint)
      #expect(weights.weights.map(\.name) == ["a.weight", "b.weight"])
      #expect(try decode(weights.weights[0], checkpoint, tileRows: 5) == nvfp4.expected)
      #expect(try decode(weights.weights[1], checkpoint, tileRows: 1) == [0.5, -1])
      let names = weights.activationScales.map(\.name)
      #expect(names == ["a.input_scale", "b.input_scale", "k_proj.k_scale"])
    }
  }

  @Test func modelOptBlocksMayHaveFourAxes() throws {
    let config =
      #"{"quantization_config":{"quant_method":"modelopt","quant_algo":"FP8_PB_WO"}}"#
    let fixture = try LayoutFixture("fp8_block_f32scale")
    var tensors = fixture.tensors.filter { $0.name == "x.weight" }
    let scales = fixture["x.weight_scale_inv"]
    tensors.append(("x.weight_scale", "F32", [1, 1, 2, 1], scales.bytes))
    try withCheckpoint(tensors, config: config) { checkpoint in
      let weight = try SourceWeights(checkpoint: checkpoint).weights[0]
      #expect(try decode(weight, checkpoint, tileRows: 128) == fixture.expected)
    }
  }

  /// ModelOpt's own file says all, or must agree with `config.json`.
  @Test(arguments: [
    ("{}", true),
    (#"{"quantization_config":{"quant_method":"modelopt","quant_algo":"NVFP4"}}"#, true),
    (#"{"quantization_config":{"quant_method":"modelopt","quant_algo":"FP8"}}"#, false),
  ])
  func readsTheFileOfModelOpt(config: String, isSound: Bool) throws {
    let fixture = try LayoutFixture("nvfp4_modelopt")
    try withTemporaryFolder { folder in
      try writeFile("model.safetensors", in: folder, SafetensorsBytes.file(fixture.tensors))
      try writeFile("config.json", in: folder, Array(config.utf8))
      let own = """
        {"producer":{"name":"modelopt","version":"0.35.0"},"quantization":{"quant_algo":"NVFP4",
        "kv_cache_quant_algo":"FP8","group_size":16,"exclude_modules":["lm_head"]}}
        """
      try writeFile("hf_quant_config.json", in: folder, Array(own.utf8))
      let checkpoint = try Checkpoint(path: folder)
      guard isSound else {
        let error = #expect(throws: SourceWeightsError.self) {
          try SourceWeights(checkpoint: checkpoint)
        }
        #expect(error?.description.contains("hf_quant_config.json has \"NVFP4\"") == true)
        return
      }
      let weight = try SourceWeights(checkpoint: checkpoint).weights[0]
      #expect(try decode(weight, checkpoint, tileRows: 24) == fixture.expected)
    }
  }

  @Test func exceptionsOfGPTQOverrideItsSettings() throws {
    try Self.expect(
      [("gptq_8bit_sym_v1", "m.down_proj"), ("gptq_4bit_sym_v1", "m.up_proj")],
      config: #"""
        {"quantization_config":{"quant_method":"gptq","bits":4,"group_size":32,"desc_act":false,
        "sym":true,"dynamic":{"+:.*\\.down_proj$":{"bits":8},"-:.*mlp\\.gate$":{}}}}
        """#)
  }

  /// What is not read is named.
  @Test(arguments: [
    (#""quant_method":"gptq","bits":4,"checkpoint_format":"gptq_p""#, "gptq_p"),
    (#""quant_method":"gptq","bits":4,"checkpoint_format":"marlin""#, "marlin"),
    (#""quant_method":"gptq","bits":5"#, "bits is 5"),
    (#""quant_method":"awq","bits":4,"group_size":32,"version":"gemv""#, "awq, version gemv"),
    (#""quant_method":"awq","bits":4,"group_size":32,"version":"gemv_fast""#, "gemv_fast"),
    (#""quant_method":"awq","bits":4,"group_size":32,"zero_point":false"#, "without zero points"),
    (#""quant_method":"bitsandbytes","load_in_8bit":true"#, "bitsandbytes with 8 bits"),
    (#""quant_method":"modelopt","quant_algo":"W4A8_AWQ""#, "modelopt W4A8_AWQ"),
    (#""quant_method":"compressed-tensors","format":"marlin-24","config_groups":{}"#, "marlin-24"),
    (#""quant_method":"compressed-tensors","format":"sparse-24-bitmask""#, "sparse-24-bitmask"),
    (#""quant_method":"hqq""#, "quant_method hqq"), (#""quant_method":"aqlm""#, "aqlm"),
    (#""quant_method":"quip""#, "quip"),
  ])
  func namesWhatItDoesNotRead(settings: String, name: String) throws {
    try withCheckpoint(
      [("x.weight", "BF16", [1, 1], [0, 0])], config: "{\"quantization_config\":{\(settings)}}"
    ) { checkpoint in
      let error = #expect(throws: SourceWeightsError.self) {
        try SourceWeights(checkpoint: checkpoint)
      }
      #expect(error?.description.contains(name) == true, "\(error?.description ?? "")")
      #expect(error?.kind == .invalidInput)
    }
  }
}
