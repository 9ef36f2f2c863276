import Bytes
import Checkpoints
import FixtureChecks
import FixtureSupport
import Quantization
import SourceWeights
import Tensors
import Testing

struct SourceWeightsTests {
  @Test func resolvesAReleasedCheckpoint() throws {
    let checkpoint = try Checkpoint(path: Fixtures.path("deepseek_v3_fp8"))
    let weights = try SourceWeights(checkpoint: checkpoint)
    let scaleCount = checkpoint.tensors.count { $0.name.hasSuffix("_scale_inv") }
    #expect(scaleCount > 10 && weights.weights.count + scaleCount == checkpoint.tensors.count)
    // Its 144 rows are no multiple of the block's.
    let weight = try #require(weights["model.layers.0.self_attn.kv_a_proj_with_mqa.weight"])
    #expect(
      weight.encoding
        == .quantized(.init(code: .e4m3, blockRows: 128, blockColumns: 128, scale: .f32)))
    #expect(weight.companions.count == 1 && weight.byteCount > weight.primary.byteCount)
    #expect(weights["model.norm.weight"]?.encoding == .plain(.bf16))
  }

  /// Every weight of the checkpoint against a decoding that is written out here.
  @Test func decodesRaggedBlocksInTilesOfAnySize() throws {
    let checkpoint = try Checkpoint(path: Fixtures.path("deepseek_v3_fp8"))
    let weights = try SourceWeights(checkpoint: checkpoint)
    var raggedCount = 0
    for weight in weights.weights where !weight.companions.isEmpty {
      if weight.rows % 128 != 0 || weight.columns % 128 != 0 { raggedCount += 1 }
      let codes = try checkpoint.bytes(of: weight.primary)
      let scales = try checkpoint.floats(of: weight.companions[0])
      let gridColumns = (weight.columns + 127) / 128
      let expected = (0..<weight.rows * weight.columns).map { index in
        let (row, column) = (index / weight.columns, index % weight.columns)
        return e4m3(codes[index]) * scales[row / 128 * gridColumns + column / 128]
      }
      for tileRows in [weight.rows, 128, 100, 1] {
        #expect(try decode(weight, checkpoint, tileRows: tileRows) == expected, "\(weight.name)")
      }
    }
    #expect(raggedCount > 0)
  }

  @Test(arguments: ["f32", "bf16", "e8m0", "u8"])
  func agreesWithTheReferenceDecoder(scale: String) throws {
    let file = scale == "u8" ? "e8m0" : scale
    let source = try Checkpoint(path: Fixtures.path("layouts/fp8_block_\(file)scale.safetensors"))
    let weight = try #require(source["weight"])
    let scales = try #require(source["weight_scale_inv"] ?? source["scale"])
    let expected = try source.floats(of: try #require(source["dequant_f32"]))
    try withCheckpoint([
      ("x.weight", "F8_E4M3", weight.shape.dimensions, try source.bytes(of: weight)),
      (
        "x.weight_scale_inv", scale == "u8" ? "U8" : scales.dtype.rawValue,
        scales.shape.dimensions, try source.bytes(of: scales)
      ),
    ]) { checkpoint in
      let weights = try SourceWeights(checkpoint: checkpoint)
      #expect(try decode(weights.weights[0], checkpoint, tileRows: 128) == expected)
    }
  }

  @Test func decodesAScalePerChannel() throws {
    let source = try Checkpoint(path: Fixtures.path("layouts/ct_fp8_channel.safetensors"))
    let weight = try #require(source["weight"])
    let scales = try #require(source["weight_scale"])
    let expected = try source.floats(of: try #require(source["dequant_f32"]))
    let config = """
      {"quantization_config":{"quant_method":"compressed-tensors","format":"float-quantized",
      "config_groups":{"group_0":{"targets":["Linear"],"weights":{"num_bits":8,"type":"float",
      "strategy":"channel","symmetric":true}}}}}
      """
    try withCheckpoint(
      [
        ("x.weight", "F8_E4M3", weight.shape.dimensions, try source.bytes(of: weight)),
        (
          "x.weight_scale", scales.dtype.rawValue, scales.shape.dimensions,
          try source.bytes(of: scales)
        ),
      ], config: config
    ) { checkpoint in
      let weights = try SourceWeights(checkpoint: checkpoint)
      let values = try decode(weights.weights[0], checkpoint, tileRows: 7)
      // The reference rounds its products to BF16.
      #expect(values.map(roundedToBF16) == expected)
    }
  }

  @Test(arguments: [[], [1]])
  func decodesOneScalePerTensor(scaleShape: [Int]) throws {
    let config = #"{"quantization_config":{"quant_method":"fp8","weight_block_size":null}}"#
    try withCheckpoint(
      [
        ("x.weight", "F8_E4M3", [2, 2], [0x38, 0x40, 0xB8, 0x01]),
        ("x.weight_scale_inv", "F32", scaleShape, [0, 0, 0, 0x3F]),
      ], config: config
    ) { checkpoint in
      let weights = try SourceWeights(checkpoint: checkpoint)
      for tileRows in [1, 2] {
        #expect(
          try decode(weights.weights[0], checkpoint, tileRows: tileRows)
            == [0.5, 1, -0.5, 0x1p-10])
      }
    }
  }

  @Test func readsPlainWeightsAndRawRows() throws {
    try withCheckpoint(
      [
        ("a", "BF16", [3, 1], [0x80, 0x3F, 0, 0x40, 0x40, 0x40]),
        ("b", "I64", [1], [1, 0, 0, 0, 0, 0, 0, 0]),
        ("c", "F32", [], [0, 0, 0x80, 0x3F]), ("d", "F32", [0, 4], []),
      ], config: "{}"
    ) { checkpoint in
      let weights = try SourceWeights(checkpoint: checkpoint)
      #expect(weights.weights.map(\.name) == ["a", "b", "c", "d"])
      #expect(try decode(weights.weights[0], checkpoint, tileRows: 2) == [1, 2, 3])
      #expect(try decode(weights.weights[2], checkpoint, tileRows: 1) == [1])
      #expect(try decode(weights.weights[3], checkpoint, tileRows: 1) == [])
      let reader = WeightReader(weight: weights.weights[0], checkpoint: checkpoint)
      var raw = [UInt8](repeating: 0, count: 2 * reader.rowByteCount)
      var span = raw.mutableRawSpan
      try reader.readCodes(1..<3, into: &span)
      #expect(raw == [0, 0x40, 0x40, 0x40])
      #expect(throws: SourceWeightsError.self) {
        try decode(weights.weights[1], checkpoint, tileRows: 1)
      }
      #expect(throws: SourceWeightsError.self) {
        var reader = WeightReader(weight: weights.weights[0], checkpoint: checkpoint)
        var values = [Float](repeating: 0, count: 2)
        var span = values.mutableSpan
        try reader.readRows(2..<4, into: &span)
      }
    }
  }

  /// Reading ahead changes nothing: whichever rows are asked for, in whatever order, and wherever a
  /// stretch ends.
  @Test(arguments: [("BF16", 700, 1030), ("F8_E4M3", 1100, 1024)])
  func readsAhead(dtype: String, rows: Int, columns: Int) throws {
    let size = dtype == "BF16" ? 2 : 1
    let bytes: [UInt8] = (0..<rows * columns * size).map {
      $0 % 2 == 0 ? UInt8(truncatingIfNeeded: $0 >> 4) & 0x7B : 0x3F
    }
    #expect(bytes.count > WeightReader.stretchByteCount)
    let scaleShape = [(rows + 127) / 128, (columns + 127) / 128]
    let scales: [UInt8] = (0..<scaleShape[0] * scaleShape[1]).flatMap { (index: Int) -> [UInt8] in
      [0, UInt8(index), 0x80, 0x3F]
    }
    var tensors = [("a.weight", dtype, [rows, columns], bytes)]
    if size == 1 { tensors.append(("a.weight_scale_inv", "F32", scaleShape, scales)) }
    let config =
      size == 1
      ? #"{"quantization_config":{"quant_method":"fp8","weight_block_size":[128,128]}}"# : "{}"
    try withCheckpoint(tensors, config: config) { checkpoint in
      let weight = try SourceWeights(checkpoint: checkpoint).weights[0]
      var ahead = WeightReader(weight: weight, checkpoint: checkpoint)
      let starts = [0, 48, 480, 528, 672, 96, 500, 0, 1, 480]
      for (start, end) in starts.flatMap({ start in [0, 510, rows].map { (start, $0) } }) {
        let tile = start..<min(rows, start + 48)
        let stored = bytes[tile.lowerBound * size * columns..<tile.upperBound * size * columns]
        var plain = WeightReader(weight: weight, checkpoint: checkpoint)
        var expected = [Float](repeating: 0, count: tile.count * columns)
        var expectedSpan = expected.mutableSpan
        try plain.readRows(tile, into: &expectedSpan)
        var values = [Float](repeating: .nan, count: tile.count * columns)
        var span = values.mutableSpan
        try ahead.readRows(tile, upTo: end, into: &span)
        #expect(values == expected && expected.contains { $0 != 0 })
        #expect(ahead.sourceRows == stored && ahead.storedRows == stored)
      }
    }
  }
}

/// OCP 8-bit floating point 1.0, E4M3.
func e4m3(_ byte: UInt8) -> Float {
  let sign: Float = byte & 0x80 == 0 ? 1 : -1
  let exponent = Int(byte >> 3 & 15)
  let fraction = Float(byte & 7) / 8
  if byte & 0x7F == 0x7F { return .nan }
  return exponent == 0
    ? sign * fraction * 0x1p-6
    : sign * (1 + fraction) * Float(sign: .plus, exponent: exponent - 7, significand: 1)
}

func roundedToBF16(_ value: Float) -> Float {
  let bits = value.bitPattern
  return Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000)
}
