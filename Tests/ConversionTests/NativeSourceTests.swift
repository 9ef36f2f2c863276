import Checkpoints
import Container
import Conversion
import FixtureSupport
import Quantization
import SourceWeights
import Tensors
import Testing
import Validation

/// The whole way from checkpoints that are released quantized.
@Suite struct NativeSourceTests {
  /// Each with the layout of its experts as people name it, and the scheme that stores the same codes.
  static let fixtures: [(name: String, layout: String, scheme: Scheme?)] = [
    ("kimi_k2_thinking_int4", "(compressed-tensors pack-quantized, 4 bits)", .int4G32),
    ("qwen3_moe_nvfp4", "(ModelOpt NVFP4)", .nvfp4),
    ("qwen3_moe_gptq_int4", "(GPTQ, 4 bits)", nil),
    ("qwen3_moe_fp8_bf16scale", "FP8 E4M3, 128×128 blocks, BF16 scales", .fp8E4M3Block128),
    ("glm4_moe_fp8_channel", "(compressed-tensors float-quantized)", .fp8E4M3Channel),
  ]

  static let cases = fixtures.flatMap { fixture in
    [Scheme.keep, .int4G64, .mxfp8].map { (fixture.name, $0) }
  }

  @Test(arguments: cases)
  func convertsAndVerifies(fixture: String, scheme: Scheme) throws {
    try withTemporaryFolder { folder in
      let converted = try Converted(fixture, in: folder, scheme: scheme)
      #expect(converted.report.budget.passed, "\(converted.report.budget.violations)")
      #expect(try ContainerVerifier.verify(converted.reader()) == [])
      let again = try Verification(
        reader: converted.reader(), source: converted.source, options: converted.plan.options
      ).run()
      #expect(again.weights == converted.report.weights && again.budget.passed)
      let notes = converted.report.notes.filter { $0.contains("quantized once more") }
      #expect(notes.count == (scheme == .keep ? 0 : 1))
      #expect(notes.allSatisfy { $0.contains("adds a relative error of 0.") })
    }
  }

  /// What is kept decodes to the very values of the source.
  @Test(arguments: fixtures.map(\.name))
  func keepsEveryValue(fixture: String) throws {
    try withTemporaryFolder { folder in
      let converted = try Converted(fixture, in: folder, scheme: .keep) { $0.gate = false }
      #expect(converted.source.weights.weights.contains { $0.isQuantized })
      for weight in converted.source.weights.weights {
        let delivered = try converted.delivered(weight.name).values
        let original = try converted.original(weight.name).values
        #expect(sameBits(delivered, original), "\(weight.name)")
      }
      // Without growing but for the alignment of planes and extents.
      let tensors = try converted.reader().allTensors()
      let payload = tensors.reduce(0) { $0 + $1.payloadByteCount }
      #expect(payload <= converted.source.byteCount)
    }
  }

  /// A scheme that stores the source's own codes copies them; at most their scales become Float32.
  @Test(arguments: fixtures.filter { $0.scheme != nil })
  func copiesItsOwnScheme(fixture: String, layout: String, scheme: Scheme?) throws {
    try withTemporaryFolder { folder in
      let converted = try Converted(fixture, in: folder, scheme: #require(scheme))
      let experts = converted.report.weights.filter { $0.role.hasPrefix("expert") }
      #expect(!experts.isEmpty && experts.allSatisfy { $0.relativeError == 0 })
      for weight in converted.plan.units.flatMap(\.weights) where weight.expert != nil {
        #expect(weight.treatment == .copy)
      }
    }
  }

  @Test(arguments: fixtures)
  func inspectionNamesTheLayout(fixture: String, layout: String, scheme: Scheme?) throws {
    let inspection = try Inspection(source: Source(path: Fixtures.path(fixture)))
    #expect(inspection.encodings.contains { $0.name.hasSuffix(layout) })
    let summed = inspection.encodings.reduce(0) { $0 + $1.parameters }
    #expect(summed == inspection.parameters.total)
  }

  /// The checksum of a file takes in all its tensors, those of activations too.
  @Test func activationScalesAreSummedUp() throws {
    try withTemporaryFolder { folder in
      let converted = try Converted("qwen3_moe_nvfp4", in: folder, scheme: .mxfp4) {
        $0.gate = false
      }
      let scales = converted.source.weights.activationScales
      #expect(!scales.isEmpty && scales.allSatisfy { $0.name.hasSuffix(".input_scale") })
      #expect(
        converted.report.notes.contains { $0.contains("\(scales.count) scales of activations") })
    }
  }
}
