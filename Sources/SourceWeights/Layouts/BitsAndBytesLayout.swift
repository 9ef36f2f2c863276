import Bytes
import Checkpoints
import SystemPackage
import Tensors

/// 4-bit weights of bitsandbytes: indices into a table of 16 numbers, all elements in a row, a
/// scale per 64. The scales may be 8-bit codes themselves. Shape and block sizes lie beside in
/// JSON.
struct BitsAndBytesLayout: SourceLayout {
  let name: String
  private let kind: String

  init(_ settings: QuantizationSettings) throws(SourceWeightsError) {
    guard try settings.bool("load_in_4bit", absent: false) else {
      throw .unsupportedLayout(name: "bitsandbytes with 8 bits", tensor: nil)
    }
    kind = settings["bnb_4bit_quant_type"]?.string ?? "fp4"
    guard ["nf4", "fp4"].contains(kind) else {
      throw .unknownSetting(
        key: "bnb_4bit_quant_type", found: describe(settings["bnb_4bit_quant_type"]))
    }
    name = "bitsandbytes \(kind)"
  }

  func weight(
    of tensor: TensorRecord, in checkpoint: Checkpoint
  ) throws(SourceWeightsError) -> SourceWeight? {
    guard tensor.field == "weight", tensor.dtype == .u8 else { return nil }
    let prefix = tensor.name + "."
    let other = kind == "nf4" ? "fp4" : "nf4"
    if checkpoint[prefix + "quant_state.bitsandbytes__\(other)"] != nil {
      throw .contradiction(
        tensor: tensor.name, reason: "it is stored as \(other), and bnb_4bit_quant_type is \(kind)")
    }
    let stateRecord = try checkpoint.companion(
      [prefix + "quant_state.bitsandbytes__\(kind)"], of: tensor)
    let state = try State(stateRecord, kind: kind, checkpoint: checkpoint)
    let shape = state.shape
    let byteCount = blockCount(shape.elementCount, per: 2)
    guard [[byteCount], [byteCount, 1]].contains(tensor.shape.dimensions) else {
      throw .contradiction(
        tensor: stateRecord.name,
        reason: "a weight of \(shape) takes \(byteCount) bytes, and there are \(tensor.shape)")
    }
    let table = try checkpoint.companion(
      prefix + "quant_map", of: tensor, dtypes: [.f32], shapes: [[16]], weightShape: shape)
    let blocks = blockCount(shape.elementCount, per: state.blockSize)
    let scales = try checkpoint.companion(
      prefix + "absmax", of: tensor, dtypes: [state.nested == nil ? .f32 : .u8],
      shapes: [[blocks]], weightShape: shape)
    var codebook = Codebook(table: table, scales: scales, blockSize: state.blockSize)
    var companions = [table, scales, stateRecord]
    if let nested = state.nested {
      let own = Codebook.Nested(
        table: try checkpoint.companion(
          prefix + "nested_quant_map", of: tensor, dtypes: [.f32], shapes: [[256]],
          weightShape: shape),
        scales: try checkpoint.companion(
          prefix + "nested_absmax", of: tensor, dtypes: [.f32],
          shapes: [[blockCount(blocks, per: nested.blockSize)]], weightShape: shape),
        blockSize: nested.blockSize, offset: nested.offset)
      codebook.nested = own
      companions += [own.table, own.scales]
    }
    return SourceWeight(
      name: tensor.name, shape: shape, encoding: .plain(.f32), layout: .codebook(codebook),
      layoutName: name, primary: tensor, companions: companions)
  }

  /// What the JSON beside a weight says.
  private struct State {
    let shape: Shape
    let blockSize: Int
    let nested: (blockSize: Int, offset: Float)?

    init(
      _ record: TensorRecord, kind: String, checkpoint: Checkpoint
    ) throws(SourceWeightsError) {
      guard record.dtype == .u8 else {
        throw .wrongDType(tensor: record.name, dtype: record.dtype, expected: [.u8])
      }
      guard record.shape.rank == 1, record.byteCount <= 1 << 16 else {
        throw .unsupportedShape(tensor: record.name, shape: record.shape)
      }
      let bytes = try checkpoint.companionBytes(record)
      func invalid(_ reason: String) -> SourceWeightsError {
        .invalidCompanion(tensor: record.name, reason: reason)
      }
      let json: JSONValue
      do throws(JSONError) {
        json = try JSONValue(parsing: bytes, file: FilePath(record.name))
      } catch {
        throw invalid("it is not JSON: \(error.description)")
      }
      guard json["quant_type"]?.string == kind else {
        throw .contradiction(
          tensor: record.name,
          reason:
            "its quant_type is \(describe(json["quant_type"])), and bnb_4bit_quant_type is \(kind)")
      }
      let sizes = (json["shape"]?.array ?? []).compactMap(\.int)
      guard let shape = Shape(sizes), shape.rank >= 2, shape.elementCount > 0 else {
        throw invalid("its shape is \(describe(json["shape"]))")
      }
      self.shape = shape
      guard let blockSize = json["blocksize"]?.int,
        QuantizationSettings.blockSizes.contains(blockSize)
      else { throw invalid("its blocksize is \(describe(json["blocksize"]))") }
      self.blockSize = blockSize
      guard let nested = json["nested_blocksize"], !nested.isNull else {
        self.nested = nil
        return
      }
      guard let size = nested.int, QuantizationSettings.blockSizes.contains(size),
        let offset = json["nested_offset"]?.double, Float(offset).isFinite
      else { throw invalid("its nested_blocksize is \(describe(nested))") }
      self.nested = (size, Float(offset))
    }
  }
}
