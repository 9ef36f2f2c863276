import Checkpoints
import Container
import Conversion
import FixtureSupport
import ModelFamilies
import Quantization
import SourceWeights
import SystemPackage
import Tensors
import Testing
import Validation

/// The whole way from checkpoints that are released quantized.
@Suite struct NativeSourceTests {
  /// Each with the layout of its experts as people name it, and the scheme that stores the same
  /// codes.
  static let fixtures: [(name: String, layout: String, scheme: Scheme?)] = [
    ("kimi_k2_thinking_int4", "(compressed-tensors pack-quantized, 4 bits)", .int4G32),
    ("qwen3_moe_nvfp4", "(ModelOpt NVFP4)", .nvfp4),
    ("qwen3_moe_gptq_int4", "(GPTQ, 4 bits)", nil),
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

  /// FP8 with scales of BFloat16, as Qwen releases it: the codes are copied, the scales become
  /// Float32.
  @Test func widensScales() throws {
    try withTemporaryFolder { folder in
      let original = try Checkpoint(path: Fixtures.path("deepseek_v3_fp8"))
      let tensors = try original.tensors.map { tensor in
        let bytes = try original.bytes(of: tensor)
        let isScale = tensor.name.hasSuffix("_scale_inv")
        // The upper halves.
        let stored = isScale ? bytes.indices.filter { $0 % 4 >= 2 }.map { bytes[$0] } : bytes
        return (
          tensor.name, isScale ? "BF16" : tensor.dtype.rawValue, tensor.shape.dimensions, stored
        )
      }
      try writeFile("model.safetensors", in: folder, SafetensorsBytes.file(tensors))
      let config = try contents(Fixtures.path("deepseek_v3_fp8/config.json"))
      try writeFile("config.json", in: folder, config)
      let source = try Source(path: folder)
      var options = ConversionOptions(scheme: .fp8E4M3Block128)
      options.gate = false
      let plan = try ConversionPlan(source: source, options: options)
      let report = try plan.convert(to: folder.appending("out.kelter"))
      #expect(!report.weights.isEmpty && report.weights.allSatisfy { $0.relativeError == 0 })
      let reader = try ContainerReader(path: folder.appending("out.kelter"))
      #expect(try ContainerVerifier.verify(reader) == [])
      let again = try Verification(reader: reader, source: source, options: options).run()
      #expect(again.weights == report.weights)
      for weight in plan.units.flatMap(\.weights) where weight.role.isMLPWeight {
        #expect(weight.treatment == .copy)
        let encoding = try reader.tensor(named: weight.source.name).encoding
        #expect(try encoding == .quantized(#require(Scheme.fp8E4M3Block128.format)))
      }
    }
  }
}
