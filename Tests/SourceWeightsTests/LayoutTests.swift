import Bytes
import Checkpoints
import FixtureChecks
import FixtureSupport
import Quantization
import SourceWeights
import Tensors
import Testing

/// Every native layout, decoded as the package that defines it decodes it, and repacked so that the
/// planes decode to the same.
struct LayoutTests {
  /// All of them but GGUF's, which are blocks of another kind of file.
  static let names: [String] = {
    let files = (try? Folder.names(in: Fixtures.path("layouts"))) ?? []
    return files.filter { $0.hasSuffix(".safetensors") && !$0.hasPrefix("gguf") }
      .map { String($0.dropLast(".safetensors".count)) }.sorted()
  }()

  @Test func thereAreLayouts() {
    #expect(Self.names.count > 30)
  }

  @Test(arguments: names)
  func decodesAsTheReference(name: String) throws {
    let fixture = try LayoutFixture(name)
    try withCheckpoint(fixture.tensors, config: fixture.config) { checkpoint in
      let weights = try SourceWeights(checkpoint: checkpoint)
      #expect(weights.weights.count == 1)
      let weight = weights.weights[0]
      #expect(weight.name == (name == "mxfp4_gpt_oss" ? "x.gate_up_proj" : "x.weight"))
      #expect(weight.isQuantized && weight.shape.elementCount == fixture.expected.count)
      let used = Set(weight.companions.map(\.name) + [weight.primary.name])
      let activations = Set(weights.activationScales.map(\.name))
      #expect(used.union(activations) == Set(fixture.tensors.map(\.name)))
      let values = try decode(weight, checkpoint, tileRows: weight.rows)
      #expect(values.map(fixture.rounded) == fixture.expected)
      #expect(try decode(weight, checkpoint, tileRows: 7) == values)
      #expect(try decode(weight, checkpoint, tileRows: 1) == values)
    }
  }

  /// What `keep` stores, decoded by the container's rules.
  @Test(arguments: names)
  func holdsTheSameValues(name: String) throws {
    let fixture = try LayoutFixture(name)
    try withCheckpoint(fixture.tensors, config: fixture.config) { checkpoint in
      let weight = try SourceWeights(checkpoint: checkpoint).weights[0]
      let values = try decode(weight, checkpoint, tileRows: weight.rows)
      var reader = WeightReader(weight: weight, checkpoint: checkpoint)
      var stored: [UInt8] = []
      var source: [UInt8] = []
      for start in stride(from: 0, to: weight.rows, by: 13) {
        let rows = start..<min(weight.rows, start + 13)
        var tile = [Float](repeating: 0, count: rows.count * weight.columns)
        var span = tile.mutableSpan
        try reader.readRows(rows, into: &span)
        stored += reader.storedRows
        source += reader.sourceRows
      }
      #expect(source == fixture[weight.primary.name].bytes)
      var held = [Float](repeating: 0, count: values.count)
      var span = held.mutableSpan
      switch weight.encoding {
      case .plain(let dtype):
        #expect(dtype == .f32 && weight.isDecoded)
        ElementConversion.decode(stored.span, as: dtype, into: &span)
      case .quantized(let format):
        let scales = try reader.scaleBytes()
        let zeroPoints = try reader.zeroPointBytes()
        let dequantizer = Dequantizer(
          format: format, columns: weight.columns, globalScale: try reader.globalScale())
        dequantizer.dequantize(
          codes: stored.span, scales: scales.span, zeroPoints: zeroPoints.span, rows: weight.rows,
          into: &span)
      }
      #expect(held == values)
    }
  }

  /// The schemes of which such a source is a lossless copy.
  @Test(arguments: [
    ("mxfp4_gpt_oss", Scheme.mxfp4), ("ct_mxfp4", .mxfp4), ("fp4_dsv4_experts", .mxfp4),
    ("nvfp4_modelopt", .nvfp4), ("ct_int4_sym_g32", .int4G32),
    ("ct_int4_asym_g32", .int4AsymmetricG32),
    ("fp8_block_f32scale", .fp8E4M3Block128),
  ])
  func isHeldInTheFormatOfTheScheme(name: String, scheme: Scheme) throws {
    let fixture = try LayoutFixture(name)
    try withCheckpoint(fixture.tensors, config: fixture.config) { checkpoint in
      let weight = try SourceWeights(checkpoint: checkpoint).weights[0]
      #expect(try .quantized(#require(scheme.format)) == weight.encoding)
    }
  }

  /// GPTQ's second version stores zero points as they are.
  @Test(arguments: ["gptq_4bit_sym_v1", "gptq_4bit_asym_actorder_v1"])
  func decodesTheSecondVersionOfGPTQ(name: String) throws {
    var fixture = try LayoutFixture(name)
    let zeroPoints = fixture["x.qzeros"].bytes
    for start in stride(from: 0, to: zeroPoints.count, by: 4) {
      var word = (0..<4).reduce(UInt32(0)) { $0 | UInt32(zeroPoints[start + $1]) << UInt32(8 * $1) }
      word &+= 0x1111_1111
      for byte in 0..<4 {
        fixture["x.qzeros"].bytes[start + byte] = UInt8(
          truncatingIfNeeded: word >> UInt32(8 * byte))
      }
    }
    fixture.config = fixture.config.replacing("\"gptq\", \"damp", with: "\"gptq_v2\", \"damp")
    try withCheckpoint(fixture.tensors, config: fixture.config) { checkpoint in
      let weight = try SourceWeights(checkpoint: checkpoint).weights[0]
      let values = try decode(weight, checkpoint, tileRows: 5)
      #expect(values.map(fixture.rounded) == fixture.expected)
    }
  }

  /// E4M3 scales of tiny groups underflow to zero: their weights are zero, and what is held has a
  /// scale all the same.
  @Test(arguments: ["nvfp4_modelopt", "ct_nvfp4"])
  func readsZeroScalesAsZeros(name: String) throws {
    var fixture = try LayoutFixture(name)
    fixture["x.weight_scale"].bytes[5] = 0
    try withCheckpoint(fixture.tensors, config: fixture.config) { checkpoint in
      let weight = try SourceWeights(checkpoint: checkpoint).weights[0]
      var expected = fixture.expected
      // The second group of the second row.
      for column in 16..<32 { expected[64 + column] = 0 }
      #expect(try decode(weight, checkpoint, tileRows: 3).map(fixture.rounded) == expected)
      var reader = WeightReader(weight: weight, checkpoint: checkpoint)
      var row = [Float](repeating: 1, count: 64)
      var span = row.mutableSpan
      try reader.readRows(1..<2, into: &span)
      #expect(reader.storedRows[8..<16].allSatisfy { $0 == 0 } && reader.storedRows.count == 32)
      #expect(try reader.scaleBytes().count(where: { $0 != 0 }) > 0)
      let size = try reader.scaleBytes().count / (24 * 4)
      #expect(try reader.scaleBytes()[5 * size..<6 * size].contains { $0 != 0 })
    }
  }
}
