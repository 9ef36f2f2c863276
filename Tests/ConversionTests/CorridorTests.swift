import Checkpoints
import Container
import Conversion
import FixtureSupport
import Foundation
import ModelFamilies
import Quantization
import ReferenceModel
import SourceWeights
import SystemPackage
import Tensors
import Testing
import Validation

/// The whole way: what a conversion writes is sound, is what was planned, and measures the same
/// when it is read again.
@Suite struct CorridorTests {
  static let cases: [(String, Scheme)] =
    allFixtures.flatMap { fixture in
      [Scheme.int4G32, .fp8E4M3Block128, .keep].map { (fixture, $0) }
    } + fusedFixtures.flatMap { [($0, Scheme.int4G32), ($0, .keep)] }
    + otherFixtures.map { ($0, Scheme.int4G64) }
    + Scheme.allCases.flatMap { [("trained", $0), ("deepseek_v3_mtp", $0)] }

  @Test(arguments: cases)
  func convertsAndVerifies(fixture: String, scheme: Scheme) throws {
    try withTemporaryFolder { folder in
      let converted = try Converted(fixture, in: folder, scheme: scheme)
      let (plan, report) = (converted.plan, converted.report)
      #expect(report.budget.passed, "\(report.budget.violations)")
      #expect(try contents(converted.path).count == plan.container.byteCount)
      #expect(report.bytes.output == plan.container.byteCount)
      #expect(try ContainerVerifier.verify(converted.reader()) == [])

      // One entry per quantized tensor.
      let planned = plan.units.flatMap(\.weights)
      #expect(planned.count == converted.source.matrices.count)
      let quantized = planned.filter { $0.role.isMLPWeight && scheme != .keep }
      #expect(report.weights.map(\.name) == quantized.map(\.source.name).sorted())
      for entry in report.weights {
        let error = try #require(entry.relativeError)
        #expect(error <= 1.5 * scheme.relativeErrorOnNormalWeights, "\(entry.name)")
        if error > 0 {
          #expect(abs(try #require(entry.snrDb) + 20 * log10(error)) < 1e-9)
        } else {
          #expect(entry.snrDb == nil)
        }
      }
      try checkLayers(converted)

      var options = plan.options
      options.scheme = .keep
      let again = try Verification(
        reader: converted.reader(), source: converted.source, options: options
      ).run()
      #expect(again.weights == report.weights)
      #expect(again.bytes == report.bytes && again.scheme == scheme.rawValue)
      #expect(again.budget.passed)
      expectSameLayers(again.layers, report.layers)
    }
  }

  /// Every layer and every expert is there; those without tokens, and layers of multi-token
  /// prediction, are seeded.
  private func checkLayers(_ converted: Converted) throws {
    let layers = converted.source.description.layers
    #expect(converted.report.layers.map(\.layer) == layers.map(\.index))
    for (entry, layer) in zip(converted.report.layers, layers) {
      #expect((entry.input == "seeded") == layer.isMultiTokenPrediction)
      #expect((entry.cumulativeRelativeError == nil) == layer.isMultiTokenPrediction)
      guard let mixture = layer.mixtureOfExperts else {
        #expect(entry.kind == "dense" && entry.experts.isEmpty)
        continue
      }
      #expect(entry.experts.map(\.expert) == Array(0..<mixture.router.expertCount))
      for expert in entry.experts {
        #expect(expert.seeded == (expert.tokens == 0))
        #expect(expert.relativeError != nil)
      }
      let rows = layer.isMultiTokenPrediction ? 64 : converted.report.measurement.tokenCount
      #expect(
        entry.experts.reduce(0) { $0 + $1.tokens } == rows * mixture.router.expertsPerToken)
    }
  }

  /// Products may differ in their last bits.
  private func expectSameLayers(_ a: [Report.LayerEntry], _ b: [Report.LayerEntry]) {
    #expect(a.count == b.count)
    func isClose(_ a: Double?, _ b: Double?) -> Bool {
      guard let a, let b else { return a == nil && b == nil }
      return abs(a - b) <= 1e-5
    }
    for (a, b) in zip(a, b) {
      #expect(isClose(a.relativeError, b.relativeError), "layer \(a.layer)")
      #expect(isClose(a.cumulativeRelativeError, b.cumulativeRelativeError), "layer \(a.layer)")
      #expect(isClose(a.cosine, b.cosine) && isClose(a.routingAgreement, b.routingAgreement))
      for (a, b) in zip(a.experts, b.experts) {
        #expect(a.tokens == b.tokens && isClose(a.relativeError, b.relativeError))
      }
    }
  }

  /// One token reaches few experts; the others are measured on seeded inputs.
  @Test func untouchedExpertsAreSeeded() throws {
    try withTemporaryFolder { folder in
      let converted = try Converted("qwen3_moe", in: folder, scheme: .int4G32) { $0.tokenCount = 1 }
      let experts = converted.report.layers.flatMap(\.experts)
      let seeded = experts.filter(\.seeded)
      #expect(seeded.count > experts.count / 2)
      #expect(seeded.allSatisfy { ($0.relativeError ?? 0) > 0.02 })
    }
  }

  /// What is kept is the source's own bytes, in place of each tensor and its scales.
  @Test(arguments: allFixtures)
  func keepsBytes(fixture: String) throws {
    try withTemporaryFolder { folder in
      let converted = try Converted(fixture, in: folder, scheme: .keep)
      let reader = try converted.reader()
      let checkpoint = converted.source.checkpoint
      for weight in converted.source.weights.weights {
        let tensor = try reader.tensor(named: weight.name)
        let bytes = try converted.bytes(tensor.byteRange)
        let primary = try checkpoint.bytes(of: weight.primary)
        #expect(sameBits(Array(bytes.prefix(primary.count)), primary), "\(weight.name)")
        if let scales = weight.companions.first, let layout = tensor.layout {
          let plane = Array(bytes[layout.scales])
          #expect(sameBits(plane, try checkpoint.bytes(of: scales)), "\(weight.name)")
        }
        let (delivered, original) = try (
          converted.delivered(weight.name), converted.original(weight.name)
        )
        #expect(sameBits(delivered.values, original.values), "\(weight.name)")
      }
      for name in try reader.files().map(\.name) {
        let contained = try #require(try reader.files().first { $0.name == name })
        #expect(
          try reader.contents(of: contained) == contents(Fixtures.path(fixture).appending(name)))
      }
    }
  }

  /// FP8 blocks to FP8 blocks: nothing is quantized twice. To anything else, a note says so.
  @Test func nativeCodesAreCopied() throws {
    try withTemporaryFolder { folder in
      let kept = try Converted("deepseek_v3_fp8", in: folder, name: "a.kelter", scheme: .keep)
      let same = try Converted(
        "deepseek_v3_fp8", in: folder, name: "b.kelter", scheme: .fp8E4M3Block128)
      #expect(!same.report.weights.isEmpty)
      #expect(same.report.weights.allSatisfy { $0.relativeError == 0 && $0.clippedShare == 0 })
      #expect(!same.report.notes.contains { $0.contains("once more") })
      for weight in same.source.weights.weights {
        let parts = try [kept, same].map { converted in
          try converted.bytes(converted.reader().tensor(named: weight.name).byteRange)
        }
        #expect(sameBits(parts[0], parts[1]), "\(weight.name)")
      }
      let int4 = try Converted("deepseek_v3_fp8", in: folder, name: "c.kelter", scheme: .int4G64)
      #expect(int4.report.notes.contains { $0.contains("quantized once more") })
    }
  }

  /// Experts lie in extents of their own and are found there.
  @Test func expertsAreExtents() throws {
    try withTemporaryFolder { folder in
      let converted = try Converted("deepseek_v3_mtp", in: folder, scheme: .int4G32)
      let reader = try converted.reader()
      for layer in converted.source.description.layers {
        for (index, names) in (layer.mixtureOfExperts?.experts ?? []).enumerated() {
          let expert = try reader.expert(layer: layer.index, expert: index)
          #expect(expert.byteRange.lowerBound % 16384 == 0)
          let tensors = try [names.gate.name, names.up.name, names.down.name].map {
            try reader.tensor(named: $0)
          }
          #expect([expert.gateTensor, expert.upTensor, expert.downTensor] == tensors.map(\.index))
          #expect(tensors.allSatisfy { expert.byteRange.contains($0.byteRange.lowerBound) })
        }
      }
      for entry in converted.report.weights {
        let tensor = try reader.tensor(named: entry.name)
        let record = try #require(try reader.errorRecord(ofTensor: tensor.index))
        #expect(record.relativeError == entry.relativeError)
      }
    }
  }
}
