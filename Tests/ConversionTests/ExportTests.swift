import Bytes
import Checkpoints
import Container
import Conversion
import FixtureSupport
import Foundation
import ModelFamilies
import Quantization
import SourceWeights
import SystemPackage
import Tensors
import Testing

/// Exported folders: what Hugging Face tools will load.
@Suite struct ExportTests {
  static func export(
    _ converted: Converted, to folder: FilePath, _ format: ExportFormat, threads: Int = 2
  ) throws -> Exporter.Summary {
    try Exporter(reader: converted.reader(), format: format, threads: threads).export(to: folder)
  }

  /// F32 holds every number exactly: kept weights are the source's decode, bit for bit; quantized
  /// ones are what the file's planes decode to.
  @Test(
    arguments: (allFixtures + fusedFixtures).map { ($0, Scheme.keep) } + [
      ("trained", .int4G32), ("mixtral", .nvfp4), ("deepseek_v3_fp8", .int4AsymmetricG64),
      ("qwen3_moe", .mxfp8),
    ])
  func f32IsExact(fixture: String, scheme: Scheme) throws {
    try withTemporaryFolder { folder in
      let converted = try Converted(fixture, in: folder, scheme: scheme) {
        $0.search = .absmax
        $0.gate = false
      }
      let summary = try Self.export(converted, to: folder.appending("hf"), .f32)
      let exported = try Checkpoint(path: folder.appending("hf"))
      let weights = converted.source.weights.weights
      #expect(exported.tensors.map(\.name) == weights.map(\.name))
      #expect(summary.tensors == weights.count && summary.shards == 1)
      for weight in weights {
        let record = try #require(exported[weight.name])
        #expect(record.shape == weight.shape && record.dtype == .f32)
        let values = try exported.floats(of: record)
        let expected =
          try scheme == .keep
          ? converted.original(weight.name).values : converted.delivered(weight.name).values
        #expect(sameBits(values, expected), "\(weight.name)")
      }
      #expect(summary.bytes == exported.tensors.reduce(0) { $0 + $1.byteCount })
    }
  }

  /// BF16 rounds to nearest even; routers and their biases keep their dtype.
  @Test(arguments: ["trained", "deepseek_v3_fp8", "qwen3_moe", "llama_r1_distill"])
  func bf16Rounds(fixture: String) throws {
    try withTemporaryFolder { folder in
      let converted = try Converted(fixture, in: folder, scheme: .int4G32) {
        $0.search = .absmax
        $0.gate = false
      }
      _ = try Self.export(converted, to: folder.appending("hf"), .bf16)
      let exported = try Checkpoint(path: folder.appending("hf"))
      let roles = Dictionary(
        uniqueKeysWithValues: converted.plan.units.flatMap(\.weights).map {
          ($0.source.name, $0.role)
        })
      for record in exported.tensors {
        let role = try #require(roles[record.name])
        let values = try exported.floats(of: record)
        let delivered = try converted.delivered(record.name).values
        if role == .router || role == .routerBias {
          #expect(record.dtype == converted.source.weights[record.name]?.primary.dtype)
          #expect(sameBits(values, delivered))
          continue
        }
        #expect(record.dtype == .bf16)
        let expected = delivered.map { Self.roundedToBF16($0) }
        #expect(sameBits(values, expected), "\(record.name)")
      }
    }
  }

  /// To nearest, ties to even: the upper half of the bits after adding half of what they are worth.
  private static func roundedToBF16(_ value: Float) -> Float {
    let bits = value.bitPattern
    return Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000)
  }

  @Test func configAndSideFiles() throws {
    try withTemporaryFolder { folder in
      let converted = try Converted("trained", in: folder, scheme: .int4G32) {
        $0.search = .absmax
        $0.gate = false
      }
      let hf = folder.appending("hf")
      _ = try Self.export(converted, to: hf, .f32)
      let config = try #require(try Checkpoint(path: hf).config?.object)
      var original = try #require(converted.source.checkpoint.config?.object)
      #expect(original["quantization_config"] != nil && config["quantization_config"] == nil)
      #expect(config["torch_dtype"] == .string("float32"))
      for key in ["quantization_config", "torch_dtype", "dtype"] { original[key] = nil }
      #expect(config.filter { $0.key != "torch_dtype" } == original)
      for name in ["tokenizer.json", "tokenizer_config.json", "generation_config.json"] {
        #expect(
          try contents(hf.appending(name)) == contents(Fixtures.path("trained").appending(name)))
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: hf.string).sorted()
      #expect(
        names == [
          "config.json", "generation_config.json", "model-00001-of-00001.safetensors",
          "model.safetensors.index.json", "tokenizer.json", "tokenizer_config.json",
        ])
      // It is a checkpoint again: understood, and convertible.
      let again = try Source(path: hf)
      #expect(again.description.familyName == converted.source.description.familyName)
      #expect(again.elementCount == converted.source.elementCount)
    }
  }

  @Test func sameBytesForAnyThreads() throws {
    try withTemporaryFolder { folder in
      let converted = try Converted("mixtral", in: folder, scheme: .mxfp4) { $0.gate = false }
      let files = try [1, 2, 7].map { threads in
        let hf = folder.appending("hf\(threads)")
        _ = try Self.export(converted, to: hf, .bf16, threads: threads)
        return try contents(hf.appending("model-00001-of-00001.safetensors"))
      }
      #expect(sameBits(files[0], files[1]) && sameBits(files[1], files[2]))
    }
  }

  @Test func existingFoldersAreLeftAlone() throws {
    try withTemporaryFolder { folder in
      let converted = try Converted("mixtral", in: folder, scheme: .keep) { $0.gate = false }
      for taken in ["hf", "hf.partial"] {
        let path = folder.appending(taken)
        try FileManager.default.createDirectory(
          atPath: path.string, withIntermediateDirectories: false)
        let error = #expect(throws: ConversionError.self) {
          try Self.export(converted, to: folder.appending("hf"), .f32)
        }
        #expect(error?.kind == .cannotCreate && error?.description.contains(path.string) == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path.string).isEmpty)
        try FileManager.default.removeItem(atPath: path.string)
      }
    }
  }
}
