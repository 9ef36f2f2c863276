import Checkpoints
import ElementFormats
import FixtureSupport
import Quantization
import Tensors
import Testing

/// Codes and scales that reference packages wrote, decoded as those packages decode them.
@Suite struct ForeignLayoutTests {
  /// The tensors of one file in fixtures/.
  struct Tensors {
    let checkpoint: Checkpoint

    init(_ path: String) throws { checkpoint = try Checkpoint(path: Fixtures.path(path)) }

    func record(_ name: String) throws -> TensorRecord { try #require(checkpoint[name]) }
    func bytes(_ name: String) throws -> [UInt8] { try checkpoint.bytes(of: record(name)) }
    func floats(_ name: String) throws -> [Float] { try checkpoint.floats(of: record(name)) }
    func shape(_ name: String) throws -> Shape { try record(name).shape }
  }

  struct Layout: Sendable, CustomTestStringConvertible {
    var testDescription: String { file }
    let file: String
    let codes: String
    let scales: String
    let format: QuantizationFormat
    /// Whether the reference rounded its result to BFloat16.
    let isRounded: Bool
  }

  static let layouts: [Layout] = [
    Layout(
      file: "fp8_block_f32scale", codes: "weight", scales: "weight_scale_inv",
      format: .init(code: .e4m3, blockRows: 128, blockColumns: 128, scale: .f32), isRounded: false),
    Layout(
      file: "fp8_block_bf16scale", codes: "weight", scales: "weight_scale_inv",
      format: .init(code: .e4m3, blockRows: 128, blockColumns: 128, scale: .bf16),
      isRounded: false),
    Layout(
      file: "fp8_block_e8m0scale", codes: "weight", scales: "scale",
      format: .init(code: .e4m3, blockRows: 128, blockColumns: 128, scale: .f8E8M0),
      isRounded: false),
    Layout(
      file: "ct_fp8_channel", codes: "weight", scales: "weight_scale",
      format: .init(code: .e4m3, blockRows: 1, blockColumns: nil, scale: .bf16), isRounded: true),
    Layout(
      file: "ct_int4_sym_g32", codes: "weight_packed", scales: "weight_scale",
      format: Scheme.int4G32.format!, isRounded: true),
    Layout(
      file: "ct_mxfp4", codes: "weight_packed", scales: "weight_scale",
      format: .init(code: .e2m1, blockRows: 1, blockColumns: 32, scale: .u8), isRounded: false),
    Layout(
      file: "mxfp4_gpt_oss", codes: "gate_up_proj_blocks", scales: "gate_up_proj_scales",
      format: .init(code: .e2m1, blockRows: 1, blockColumns: 32, scale: .u8), isRounded: false),
    Layout(
      file: "fp4_dsv4_experts", codes: "weight", scales: "scale", format: Scheme.mxfp4.format!,
      isRounded: false),
  ]

  /// Compares with the reference, value by value; −0 is 0.
  static func expectSame(_ values: [Float], _ reference: [Float], rounded: Bool = false) {
    #expect(values.count == reference.count)
    let different = zip(values, reference).filter { value, expected in
      (rounded ? Float(BFloat16(value)) : value) != expected
    }
    #expect(different.isEmpty)
  }

  @Test(arguments: layouts)
  func decode(_ layout: Layout) throws {
    let tensors = try Tensors("layouts/\(layout.file).safetensors")
    let shape = try tensors.shape("dequant_f32")
    let decoded = QuantizedMatrix(
      codes: try tensors.bytes(layout.codes), scales: try tensors.bytes(layout.scales),
      rows: shape.rows, columns: shape.columns, format: layout.format)
    Self.expectSame(
      decoded.values, try tensors.floats("dequant_f32"), rounded: layout.isRounded)
  }

  /// compressed-tensors packs zero points along the rows, eight of a column to a word.
  @Test func decodeAsymmetric() throws {
    let tensors = try Tensors("layouts/ct_int4_asym_g32.safetensors")
    let shape = try tensors.shape("dequant_f32")
    let packed = try tensors.bytes("weight_zero_point")
    let groups = shape.columns / 32
    var zeroPoints = [UInt8](repeating: 0, count: shape.rows * groups / 2)
    for row in 0..<shape.rows {
      for group in 0..<groups {
        let byte = packed[(row / 8 * groups + group) * 4 + row % 8 / 2]
        let nibble = row % 2 == 0 ? byte & 15 : byte >> 4
        zeroPoints[row * groups / 2 + group / 2] |= nibble << (group % 2 * 4)
      }
    }
    let decoded = QuantizedMatrix(
      codes: try tensors.bytes("weight_packed"), scales: try tensors.bytes("weight_scale"),
      zeroPoints: zeroPoints, rows: shape.rows, columns: shape.columns,
      format: Scheme.int4AsymmetricG32.format!)
    Self.expectSame(decoded.values, try tensors.floats("dequant_f32"), rounded: true)
  }

  /// compressed-tensors stores bytes plus 128.
  @Test func decodeBytes() throws {
    let tensors = try Tensors("layouts/ct_int8_sym_g128.safetensors")
    let shape = try tensors.shape("dequant_f32")
    let decoded = QuantizedMatrix(
      codes: try tensors.bytes("weight_packed").map { $0 ^ 0x80 },
      scales: try tensors.bytes("weight_scale"), rows: shape.rows, columns: shape.columns,
      format: .init(code: .int8, blockRows: 1, blockColumns: 128, scale: .bf16))
    Self.expectSame(decoded.values, try tensors.floats("dequant_f32"), rounded: true)
  }

  /// ModelOpt multiplies by the global scale.
  @Test func decodeModelOpt() throws {
    let tensors = try Tensors("layouts/nvfp4_modelopt.safetensors")
    let shape = try tensors.shape("dequant_f32")
    let decoded = QuantizedMatrix(
      codes: try tensors.bytes("weight"), scales: try tensors.bytes("weight_scale"),
      globalScale: try tensors.floats("weight_scale_2")[0], rows: shape.rows,
      columns: shape.columns, format: Scheme.nvfp4.format!)
    Self.expectSame(decoded.values, try tensors.floats("dequant_f32"))
  }

  /// compressed-tensors divides by its global scale; its reference result is BFloat16, so that the
  /// reciprocal's rounding may show in the last place of a few values.
  @Test func decodeCompressedTensorsNVFP4() throws {
    let tensors = try Tensors("layouts/ct_nvfp4.safetensors")
    let shape = try tensors.shape("dequant_f32")
    let decoded = QuantizedMatrix(
      codes: try tensors.bytes("weight_packed"), scales: try tensors.bytes("weight_scale"),
      globalScale: 1 / (try tensors.floats("weight_global_scale")[0]), rows: shape.rows,
      columns: shape.columns, format: Scheme.nvfp4.format!)
    let reference = try tensors.floats("dequant_f32")
    let isClose = zip(decoded.values, reference).allSatisfy { abs($0 - $1) <= abs($1) * 0x1p-7 }
    #expect(isClose)
  }

  /// ggml's blocks hold the scale before 16 bytes, whose low nibbles are the first 16 elements.
  @Test(arguments: [("gguf_q4_0", CodeFormat.int4, DType.f16), ("gguf_mxfp4", .e2m1, .f8E8M0)])
  func decodeGGUF(file: String, code: CodeFormat, scale: DType) throws {
    let tensors = try Tensors("layouts/\(file).safetensors")
    let shape = try tensors.shape("dequant_f32")
    let (codes, scales) = Self.unpackGGUF(
      try tensors.bytes("blocks"), scaleByteCount: scale.bitsPerElement / 8)
    let decoded = QuantizedMatrix(
      codes: codes, scales: scales, rows: shape.rows, columns: shape.columns,
      format: .init(code: code, blockRows: 1, blockColumns: 32, scale: scale))
    Self.expectSame(decoded.values, try tensors.floats("dequant_f32"))
  }

  @Test func decodeGGUFBytes() throws {
    let tensors = try Tensors("layouts/gguf_q8_0.safetensors")
    let shape = try tensors.shape("dequant_f32")
    let blocks = try tensors.bytes("blocks")
    let starts = stride(from: 0, to: blocks.count, by: 34)
    let decoded = QuantizedMatrix(
      codes: starts.flatMap { blocks[($0 + 2)..<($0 + 34)] },
      scales: starts.flatMap { blocks[$0..<($0 + 2)] }, rows: shape.rows, columns: shape.columns,
      format: .init(code: .int8, blockRows: 1, blockColumns: 32, scale: .f16))
    Self.expectSame(decoded.values, try tensors.floats("dequant_f32"))
  }

  /// The codes of 32 elements to a block, two neighbours to a byte, and the scales.
  static func unpackGGUF(
    _ blocks: [UInt8], scaleByteCount: Int
  ) -> (codes: [UInt8], scales: [UInt8]) {
    var (codes, scales) = ([UInt8](), [UInt8]())
    for start in stride(from: 0, to: blocks.count, by: scaleByteCount + 16) {
      scales += blocks[start..<start + scaleByteCount]
      let bytes = blocks[(start + scaleByteCount)..<(start + scaleByteCount + 16)]
      let nibbles = bytes.map { $0 & 15 } + bytes.map { $0 >> 4 }
      codes += (0..<16).map { nibbles[2 * $0] | nibbles[2 * $0 + 1] << 4 }
    }
    return (codes, scales)
  }
}
