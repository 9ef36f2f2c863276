import Bytes
import Checkpoints
import FixtureChecks
import FixtureSupport
import SourceWeights
import Testing

/// A quantized checkpoint that is not sound is refused by the name of the tensor.
struct RefusalTests {
  typealias Tensor = (name: String, dtype: String, shape: [Int], bytes: [UInt8])

  static let codes: Tensor = ("x.weight", "F8_E4M3", [1, 2], [0x38, 0x38])
  static func scale(_ bytes: [UInt8] = [0, 0, 0x80, 0x3F]) -> Tensor {
    ("x.weight_scale_inv", "F32", [1, 1], bytes)
  }
  static func fp8(_ rest: String) -> String {
    "{\"quantization_config\":{\"quant_method\":\"fp8\"\(rest)}}"
  }
  static let block = fp8(",\"weight_block_size\":[128,128]")

  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var config: String
    var tensors: [Tensor]
    /// What the message must say.
    var says: [String]
  }

  static let cases: [Case] = [
    Case(
      testDescription: "no scale", config: block, tensors: [codes],
      says: ["x.weight:", "x.weight_scale_inv", "is missing"]),
    Case(
      testDescription: "a scale without a weight", config: block, tensors: [scale()],
      says: ["x.weight_scale_inv:", "missing"]),
    Case(
      testDescription: "a scale of a plain weight", config: block,
      tensors: [("x.weight", "BF16", [1, 1], [0, 0]), scale()],
      says: ["x.weight_scale_inv:", "x.weight", "BF16"]),
    Case(
      testDescription: "a scale of a wrong shape", config: block,
      tensors: [codes, ("x.weight_scale_inv", "F32", [1, 2], [UInt8](repeating: 1, count: 8))],
      says: ["x.weight_scale_inv:", "[1, 2]", "[1, 1]"]),
    Case(
      testDescription: "a scale of a wrong dtype", config: block,
      tensors: [codes, ("x.weight_scale_inv", "I32", [1, 1], [1, 0, 0, 0])],
      says: ["x.weight_scale_inv:", "I32"]),
    Case(
      testDescription: "FP8 without configuration", config: "", tensors: [codes, scale()],
      says: ["x.weight:", "quantization_config"]),
    Case(
      testDescription: "FP8 that is not declared", config: "{}", tensors: [codes, scale()],
      says: ["x.weight:", "quantization_config"]),
    Case(
      testDescription: "declared and not there", config: block,
      tensors: [("x.weight", "BF16", [1, 1], [0, 0])], says: ["fp8", "no tensor"]),
    Case(
      testDescription: "no block size", config: fp8(""), tensors: [codes, scale()],
      says: ["weight_block_size", "missing"]),
    Case(
      testDescription: "a block size of zero", config: fp8(",\"weight_block_size\":[0,128]"),
      tensors: [codes, scale()], says: ["weight_block_size", "[0, 128]"]),
    Case(
      testDescription: "a block size of one number", config: fp8(",\"weight_block_size\":[128]"),
      tensors: [codes, scale()], says: ["weight_block_size"]),
    Case(
      testDescription: "another FP8",
      config: fp8(",\"fmt\":\"e5m2\",\"weight_block_size\":[128,128]"), tensors: [codes, scale()],
      says: ["fmt", "e5m2"]),
    Case(
      testDescription: "per tensor, but a grid", config: fp8(",\"weight_block_size\":null"),
      tensors: [codes, scale()], says: ["x.weight_scale_inv:", "[1, 1]"]),
    Case(
      testDescription: "a vector of FP8", config: block,
      tensors: [("x.weight", "F8_E4M3", [2], [1, 1]), scale()], says: ["x.weight:", "[2]"]),
    Case(
      testDescription: "FP8 of another kind", config: block,
      tensors: [("x.weight", "F8_E5M2", [1, 1], [1])], says: ["x.weight:", "F8_E5M2"]),
    Case(
      testDescription: "another method",
      config: #"{"quantization_config":{"quant_method":"gptq"}}"#,
      tensors: [codes], says: ["bits", "missing"]),
    Case(
      testDescription: "ModelOpt",
      config: #"{"quantization_config":{"quant_method":"modelopt","quant_algo":"W4A16_AWQ"}}"#,
      tensors: [codes], says: ["modelopt W4A16_AWQ is not supported yet"]),
    Case(
      testDescription: "packed integers",
      config:
        #"{"text_config":{"quantization_config":{"quant_method":"compressed-tensors","format":"marlin-24"}}}"#,
      tensors: [codes], says: ["compressed-tensors marlin-24 is not supported yet"]),
    Case(
      testDescription: "packed without a word", config: "{}",
      tensors: [("x.qweight", "I32", [1, 1], [0, 0, 0, 0])], says: ["x.qweight:", "GPTQ"]),
    Case(
      testDescription: "MXFP4 without a word", config: "{}",
      tensors: [("x.down_proj_blocks", "U8", [1, 1], [0])], says: ["x.down_proj_blocks:", "MXFP4"]),
    Case(
      testDescription: "bitsandbytes without a word", config: "{}",
      tensors: [("x.weight", "U8", [1, 1], [0])], says: ["x.weight:", "packed into U8"]),
    Case(
      testDescription: "FP4 that is not declared", config: block,
      tensors: [
        ("x.scale", "F8_E8M0", [1, 1], [127]),
        ("x.weight", "I8", [1, 16], [UInt8](repeating: 0, count: 16)),
      ], says: ["x.scale:", "DeepSeek-V4"]),
    Case(
      testDescription: "two tensors for one weight",
      config: #"{"quantization_config":{"quant_method":"mxfp4"}}"#,
      tensors: [
        ("x.down_proj", "BF16", [1, 1], [0, 0]),
        ("x.down_proj_blocks", "U8", [1, 1, 1, 16], [UInt8](repeating: 0, count: 16)),
        ("x.down_proj_scales", "U8", [1, 1, 1], [127]),
      ], says: ["x.down_proj", "same weight"]),
  ]

  @Test(arguments: cases) func isRefused(_ hostile: Case) throws {
    try withCheckpoint(hostile.tensors, config: hostile.config) { checkpoint in
      let error = #expect(throws: SourceWeightsError.self) {
        try SourceWeights(checkpoint: checkpoint)
      }
      let description = error?.description ?? ""
      for word in hostile.says { #expect(description.contains(word), "\(description)") }
      #expect(error?.kind == .invalidInput && !description.contains("\n"))
    }
  }

  @Test(
    arguments: [
      ("NaN", [0, 0, 0xC0, 0x7F]), ("infinite", [0, 0, 0x80, 0x7F]), ("zero", [0, 0, 0, 0]),
      ("negative", [0, 0, 0x80, 0xBF]),
    ] as [(String, [UInt8])])
  func badScalesShowWhenRead(kind: String, bytes: [UInt8]) throws {
    try withCheckpoint([Self.codes, Self.scale(bytes)]) { checkpoint in
      let weights = try SourceWeights(checkpoint: checkpoint)
      let error = #expect(throws: SourceWeightsError.self) {
        try decode(weights.weights[0], checkpoint, tileRows: 1)
      }
      #expect(error?.description.contains("x.weight_scale_inv: scale 0") == true)
    }
  }

  @Test func weightAndScaleMayLieInDifferentShards() throws {
    try withTemporaryFolder { folder in
      try writeFile("a.safetensors", in: folder, SafetensorsBytes.file([Self.codes]))
      try writeFile("b.safetensors", in: folder, SafetensorsBytes.file([Self.scale()]))
      try writeFile(
        "model.safetensors.index.json", in: folder,
        Array(
          #"{"weight_map":{"x.weight":"a.safetensors","x.weight_scale_inv":"b.safetensors"}}"#.utf8)
      )
      try writeFile("config.json", in: folder, Array(Self.block.utf8))
      let checkpoint = try Checkpoint(path: folder)
      let weights = try SourceWeights(checkpoint: checkpoint)
      #expect(try decode(weights.weights[0], checkpoint, tileRows: 1) == [1, 1])
    }
  }
}
