import Checkpoints
import FixtureChecks
import FixtureSupport
import Quantization
import SourceWeights
import SystemPackage
import Tensors
import Testing

/// Every block type of GGUF, decoded to the bits that gguf-py decodes it to, and held without loss.
struct GGUFWeightTests {
  /// A file whose only tensor is `x.weight`.
  private func withBlocks(
    _ format: BlockFormat, rows: Int, _ blocks: [UInt8],
    _ body: (SourceWeight, Checkpoint) throws -> Void
  ) throws {
    let columns = blocks.count / rows / format.bytesPerBlock * format.elementsPerBlock
    let file = GGUFBytes(
      .init("x.weight", [UInt64(columns), UInt64(rows)], type: format.rawValue), data: blocks)
    try withTemporaryFolder { folder in
      let path = folder.appending("x.gguf")
      try writeFile(path, file.file)
      let checkpoint = try Checkpoint(path: path)
      let weights = try SourceWeights(checkpoint: checkpoint)
      #expect(weights.weights.count == 1)
      let weight = weights.weights[0]
      #expect(weight.shape.dimensions == [rows, columns] && weight.companions.isEmpty)
      #expect(weight.layoutName == "GGUF \(format.name)" && weight.byteCount == blocks.count)
      try body(weight, checkpoint)
    }
  }

  private func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

  private func floats(_ path: String) throws -> [Float] {
    let bytes = try contents(Fixtures.path(path))
    var values = [Float](repeating: 0, count: bytes.count / 4)
    var span = values.mutableSpan
    ElementConversion.decode(bytes.span, as: .f32, into: &span)
    return values
  }

  @Test(arguments: BlockFormat.allCases) func decodesAsGGUFPy(format: BlockFormat) throws {
    let name = format.name.lowercased()
    let blocks = try contents(Fixtures.path("gguf/\(name).blocks"))
    let expected = try floats("gguf/\(name).f32")
    try withBlocks(format, rows: 3, blocks) { weight, checkpoint in
      #expect(expected.count == weight.shape.elementCount && expected.contains { $0 != 0 })
      for tileRows in [3, 2, 1] {
        let values = try decode(weight, checkpoint, tileRows: tileRows)
        #expect(bits(values) == bits(expected))
      }
    }
  }

  /// What `keep` stores, decoded by the container's rules.
  @Test(arguments: BlockFormat.allCases) func holdsTheSameValues(format: BlockFormat) throws {
    let name = format.name.lowercased()
    let blocks = try contents(Fixtures.path("gguf/\(name).blocks"))
    let expected = try floats("gguf/\(name).f32")
    try withBlocks(format, rows: 3, blocks) { weight, checkpoint in
      var reader = WeightReader(weight: weight, checkpoint: checkpoint)
      var stored: [UInt8] = []
      var source: [UInt8] = []
      for rows in [0..<2, 2..<3] {
        var tile = [Float](repeating: 0, count: rows.count * weight.columns)
        var span = tile.mutableSpan
        try reader.readRows(rows, into: &span)
        stored += reader.storedRows
        source += reader.sourceRows
      }
      #expect(source == blocks)
      var held = [Float](repeating: 0, count: expected.count)
      var span = held.mutableSpan
      switch weight.encoding {
      case .plain(let dtype):
        #expect(dtype == .f32 && weight.isDecoded)
        ElementConversion.decode(stored.span, as: .f32, into: &span)
      case .quantized(let format):
        let scales = try reader.scaleBytes()
        let zeroPoints = try reader.zeroPointBytes()
        Dequantizer(format: format, columns: weight.columns).dequantize(
          codes: stored.span, scales: scales.span, zeroPoints: zeroPoints.span, rows: weight.rows,
          into: &span)
        var plane = [Float](repeating: 0, count: scales.count * 8 / format.scale.bitsPerElement)
        var planeSpan = plane.mutableSpan
        ElementConversion.decode(scales.span, as: format.scale, into: &planeSpan)
        #expect(plane.allSatisfy { $0 > 0 && $0.isFinite })
      }
      // Zeros may lose their sign with a negated scale.
      #expect(held == expected)
    }
  }

  @Test func knowsWhichCodesAFormatHolds() throws {
    let held = try BlockFormat.allCases.filter { format in
      let blocks = [UInt8](repeating: 0, count: format.bytesPerBlock)
      var isHeld = false
      try withBlocks(format, rows: 1, blocks) { weight, _ in isHeld = !weight.isDecoded }
      return isHeld
    }
    #expect(held == [.q4_0, .q5_0, .q8_0, .iq4NL, .tq1_0, .tq2_0, .mxfp4, .nvfp4])
  }

  /// Other blocks, quantized or random, from the collection of layouts.
  @Test(arguments: [
    BlockFormat.q4_0, .q4_1, .q5_0, .q8_0, .q2K, .q3K, .q4K, .q5K, .q6K, .iq4NL, .iq4XS, .mxfp4,
    .nvfp4,
  ])
  func decodesTheLayouts(format: BlockFormat) throws {
    let name = format.name.lowercased()
    let fixture = try Checkpoint(path: Fixtures.path("layouts/gguf_\(name).safetensors"))
    let record = try #require(fixture["blocks"])
    let expected = try fixture.floats(of: #require(fixture["dequant_f32"]))
    try withBlocks(
      format, rows: record.shape.dimensions[0], fixture.bytes(of: record)
    ) { weight, checkpoint in
      let values = try decode(weight, checkpoint, tileRows: 1)
      #expect(bits(values) == bits(expected))
    }
  }

  /// A Float16 infinity or NaN, or a byte that no format gives a number to, as the second block's
  /// scale.
  @Test(arguments: [
    (BlockFormat.q4_0, 0, [UInt8(0), 0x7C]), (.q8_0, 0, [0, 0xFC]), (.q4_1, 2, [1, 0x7E]),
    (.q4K, 2, [0, 0x7C]), (.q6K, 208, [0xFF, 0x7F]), (.iq2S, 0, [0, 0x7C]),
    (.tq2_0, 64, [0, 0x7C]),
    (.mxfp4, 0, [0xFF]), (.nvfp4, 1, [0xFF]),
  ])
  func refusesScalesThatAreNoNumbers(
    format: BlockFormat, offset: Int, scale: [UInt8]
  ) throws {
    var blocks = [UInt8](repeating: 0x11, count: 2 * format.bytesPerBlock)
    let start = format.bytesPerBlock + offset
    blocks.replaceSubrange(start..<start + scale.count, with: scale)
    try withBlocks(format, rows: 2, blocks) { weight, checkpoint in
      #expect {
        try decode(weight, checkpoint, tileRows: 1)
      } throws: { error in
        guard case .invalidScale("x.weight", 1, _)? = error as? SourceWeightsError else {
          return false
        }
        return true
      }
    }
  }

  @Test func refusesACodeWithoutANegation() throws {
    let blocks = [UInt8(0), 0xBC] + [UInt8](repeating: 0x80, count: 32)
    try withBlocks(.q8_0, rows: 1, blocks) { weight, checkpoint in
      #expect(throws: SourceWeightsError.self) { try decode(weight, checkpoint, tileRows: 1) }
    }
  }

  @Test func sortsOutAWholeFile() throws {
    let checkpoint = try Checkpoint(path: Fixtures.path("gguf/tiny.gguf"))
    let weights = try SourceWeights(checkpoint: checkpoint)
    #expect(weights.weights.map(\.name) == checkpoint.tensors.map(\.name))
    let experts = try #require(weights["blk.0.ffn_gate_exps.weight"])
    #expect(experts.shape.dimensions == [2, 3, 64])
    #expect(experts.encoding == .quantized(try #require(Scheme.mxfp4.format)))
    for weight in weights.weights {
      let values = try decode(weight, checkpoint, tileRows: 5)
      #expect(values.contains { $0 != 0 } && values.allSatisfy { $0.isFinite })
    }
  }
}
