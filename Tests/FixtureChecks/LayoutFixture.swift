import Bytes
import Checkpoints
import ElementFormats
import FixtureSupport
import SourceWeights
package import SystemPackage
package import Tensors

/// One quantized tensor of fixtures/layouts, as tests write it into a checkpoint.
package struct LayoutFixture {
  package typealias Tensor = (name: String, dtype: String, shape: [Int], bytes: [UInt8])

  /// The tensors on disk, all of a module `x`.
  package var tensors: [Tensor] = []
  /// The whole `config.json`.
  package var config: String
  /// What the reference decodes.
  package private(set) var expected: [Float] = []
  /// The type that the reference rounds to, which is seen from its values; nil where it hands out
  /// Float32.
  package private(set) var roundsTo: DType?

  /// What the blocks of a tensor of ggml's are.
  private let blockFormat: BlockFormat?

  /// A file of fixtures/layouts.
  package init(_ name: String) throws {
    try self.init(path: Fixtures.path("layouts/\(name).safetensors"))
  }

  /// A tensor of ggml's is told by the name of its file: `gguf_q4_k.safetensors`.
  package init(path: FilePath) throws {
    let name = path.stem ?? ""
    if name.hasPrefix("gguf_") {
      let type = name.dropFirst("gguf_".count).uppercased()
      blockFormat = BlockFormat.allCases.first { $0.name == type }
    } else {
      blockFormat = nil
    }
    let bytes = try contents(path)
    let headerByteCount = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
    let header = try JSONValue(parsing: Array(bytes[8..<8 + headerByteCount]), file: path)
    config = ""
    for (name, entry) in header.object!.sorted(by: { $0.key < $1.key }) {
      if name == "__metadata__" {
        config = "{\"quantization_config\":\(entry["quantization_config"]?.string ?? "{}")}"
        continue
      }
      let offsets = entry["data_offsets"]!.array!.map { $0.int! + 8 + headerByteCount }
      let data = Array(bytes[offsets[0]..<offsets[1]])
      if name == "dequant_f32" {
        expected = [Float](repeating: 0, count: data.count / 4)
        var span = expected.mutableSpan
        ElementConversion.decode(data.span, as: .f32, into: &span)
      } else {
        tensors.append(
          ("x.\(name)", entry["dtype"]!.string!, entry["shape"]!.array!.map { $0.int! }, data))
      }
    }
    roundsTo = [DType.bf16, .f16].first { dtype in
      expected.allSatisfy { Self.rounded($0, to: dtype) == $0 }
    }
  }

  /// A value as the reference hands it out.
  package func rounded(_ value: Float) -> Float {
    roundsTo.map { Self.rounded(value, to: $0) } ?? value
  }

  private static func rounded(_ value: Float, to dtype: DType) -> Float {
    dtype == .bf16 ? Float(BFloat16(value)) : Float(Float16(value))
  }

  /// What is wrong with the values that the tensors decode to. Empty if all is well.
  package func mismatches() throws -> [String] {
    var found: [String] = []
    try withSource { checkpoint in
      let weights = try SourceWeights(checkpoint: checkpoint).weights
      guard weights.count == 1 else {
        found.append("\(weights.count) weights, expected one")
        return
      }
      let values = try decode(weights[0], checkpoint, tileRows: max(1, weights[0].rows))
      guard values.count == expected.count else {
        found.append("\(values.count) values, expected \(expected.count)")
        return
      }
      let places = values.indices.filter {
        rounded(values[$0]) != expected[$0] && !(values[$0].isNaN && expected[$0].isNaN)
      }
      if let place = places.first {
        found.append(
          "\(places.count) of \(values.count) values differ, first at \(place): "
            + "\(values[place]), expected \(expected[place])")
      }
    }
    return found
  }

  /// A checkpoint of the tensors: blocks of ggml's are those of a GGUF file.
  private func withSource(_ body: (Checkpoint) throws -> Void) throws {
    guard let format = blockFormat, let blocks = tensors.first, let rows = blocks.shape.first,
      rows > 0
    else { return try withCheckpoint(tensors, config: config, body) }
    let columns = blocks.bytes.count / rows / format.bytesPerBlock * format.elementsPerBlock
    let file = GGUFBytes(
      .init("x.weight", [UInt64(columns), UInt64(rows)], type: format.rawValue),
      data: blocks.bytes)
    try withTemporaryFolder { folder in
      let path = folder.appending("x.gguf")
      try writeFile(path, file.file)
      try body(try Checkpoint(path: path))
    }
  }

  package subscript(name: String) -> Tensor {
    get { tensors.first { $0.name == name }! }
    set { tensors[tensors.firstIndex { $0.name == name }!] = newValue }
  }
}
