import ElementFormats
import Quantization
import Tensors
import Testing

/// `absmax` writes the same bytes as the quantizers of other projects.
@Suite struct ForeignQuantizerTests {
  let tensors: ForeignLayoutTests.Tensors
  let weights: [Float]
  let shape: Shape

  init() throws {
    tensors = try .init("quantization/peers.safetensors")
    weights = try tensors.floats("weights")
    shape = try tensors.shape("weights")
  }

  func quantize(_ scheme: Scheme) throws -> QuantizedMatrix {
    QuantizedMatrix(
      weights, rows: shape.rows, columns: shape.columns, format: try #require(scheme.format),
      search: .absmax)
  }

  /// compressed-tensors, 'pack-quantized'.
  @Test(arguments: [Scheme.int4G32, .int4G128])
  func symmetric(scheme: Scheme) throws {
    let quantized = try quantize(scheme)
    #expect(try quantized.codes == tensors.bytes("\(scheme.rawValue).codes"))
    #expect(try quantized.scales == tensors.bytes("\(scheme.rawValue).scales"))
  }

  /// compressed-tensors with zero points, of which two neighbours of a row make a byte here.
  @Test func asymmetric() throws {
    let quantized = try quantize(.int4AsymmetricG32)
    #expect(try quantized.codes == tensors.bytes("int4-asym-g32.codes"))
    #expect(try quantized.scales == tensors.bytes("int4-asym-g32.scales"))
    let zeroPoints = try tensors.bytes("int4-asym-g32.zero_points")
    let packed = stride(from: 0, to: zeroPoints.count, by: 2)
      .map { zeroPoints[$0] | zeroPoints[$0 + 1] << 4 }
    #expect(quantized.zeroPoints == packed)
  }

  /// gguf-py's MXFP4. It has one zero, Kelter keeps its sign.
  @Test func mxfp4() throws {
    let quantized = try quantize(.mxfp4)
    let (codes, scales) = ForeignLayoutTests.unpackGGUF(
      try tensors.bytes("mxfp4.blocks"), scaleByteCount: 1)
    let format = try #require(Scheme.mxfp4.format)
    let theirs = QuantizedMatrix(
      codes: codes, scales: scales, rows: shape.rows, columns: shape.columns, format: format)
    #expect(quantized.scales == scales)
    #expect(quantized.values == theirs.values)
  }
}
