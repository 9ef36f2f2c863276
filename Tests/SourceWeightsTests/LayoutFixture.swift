import Bytes
import Checkpoints
import FixtureSupport
import Tensors

/// One quantized tensor of fixtures/layouts, as tests write it into a checkpoint.
struct LayoutFixture {
  typealias Tensor = (name: String, dtype: String, shape: [Int], bytes: [UInt8])

  /// The tensors on disk, all of a module `x`.
  var tensors: [Tensor] = []
  /// The whole `config.json`.
  var config: String
  /// What the reference decodes.
  private(set) var expected: [Float] = []
  /// The type that the reference rounds to; nil where it hands out Float32.
  private(set) var roundsTo: DType?

  init(_ name: String) throws {
    let path = Fixtures.path("layouts/\(name).safetensors")
    let bytes = try contents(path)
    let headerByteCount = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
    let header = try JSONValue(parsing: Array(bytes[8..<8 + headerByteCount]), file: path)
    config = ""
    for (name, entry) in header.object!.sorted(by: { $0.key < $1.key }) {
      if name == "__metadata__" {
        config = "{\"quantization_config\":\(entry["quantization_config"]!.string!)}"
        let note = entry["note"]?.string ?? ""
        if note.contains("reference output") || note.contains("decompress dtype") {
          roundsTo = note.contains("FP16") ? .f16 : .bf16
        }
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
  }

  /// A value as the reference hands it out.
  func rounded(_ value: Float) -> Float {
    switch roundsTo {
    case .bf16: roundedToBF16(value)
    case .f16: Float(Float16(value))
    default: value
    }
  }

  subscript(name: String) -> Tensor {
    get { tensors.first { $0.name == name }! }
    set { tensors[tensors.firstIndex { $0.name == name }!] = newValue }
  }
}
