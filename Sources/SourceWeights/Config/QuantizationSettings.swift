import Bytes
import Checkpoints
import SystemPackage

/// What the release says about how its weights are stored: `quantization_config` of `config.json`,
/// in `text_config` or at the top level, or `hf_quant_config.json` beside it.
struct QuantizationSettings {
  /// The object with the settings.
  let object: JSONValue
  /// `quant_method`: `fp8`, `compressed-tensors`, `gptq` …
  let method: String
  /// The whole of `config.json`.
  let config: JSONValue

  /// Nil if nothing is declared.
  init?(checkpoint: Checkpoint) throws(SourceWeightsError) {
    let config = checkpoint.config ?? .object([:])
    let beside = try Self.modelOptFile(checkpoint)
    let places = [config["text_config"]?["quantization_config"], config["quantization_config"]]
    self.config = config
    guard let object = places.compactMap({ $0 }).first(where: { !$0.isNull }) else {
      guard let beside else { return nil }
      self.object = beside
      method = "modelopt"
      return
    }
    guard let method = object["quant_method"]?.string else {
      throw .unknownSetting(key: "quant_method", found: describe(object["quant_method"]))
    }
    if let beside, let own = object["quant_algo"]?.string, own != beside["quant_algo"]?.string {
      throw .unknownSetting(
        key: "quant_algo",
        found: "\(own), where hf_quant_config.json has \(describe(beside["quant_algo"]))")
    }
    self.object = object
    self.method = method
  }

  subscript(key: String) -> JSONValue? { object[key] }

  /// A whole number within a range.
  func int(_ key: String, in range: ClosedRange<Int>) throws(SourceWeightsError) -> Int {
    guard let value = object[key]?.int, range.contains(value) else {
      throw .unknownSetting(key: key, found: describe(object[key]))
    }
    return value
  }

  /// A truth value; `absent` where the key is missing.
  func bool(_ key: String, absent: Bool) throws(SourceWeightsError) -> Bool {
    guard let value = object[key], !value.isNull else { return absent }
    guard let bool = value.bool else { throw .unknownSetting(key: key, found: describe(value)) }
    return bool
  }

  /// The sizes that a block may have.
  static let blockSizes = 1...1 << 30

  /// Two positive sizes of a block.
  static func grid(
    _ value: JSONValue?, key: String
  ) throws(SourceWeightsError) -> (rows: Int, columns: Int) {
    guard let sizes = value?.array, sizes.count == 2, let rows = sizes[0].int,
      let columns = sizes[1].int, blockSizes.contains(rows), blockSizes.contains(columns)
    else { throw .unknownSetting(key: key, found: describe(value)) }
    return (rows, columns)
  }

  /// The `quantization` object of ModelOpt's own file, if that is there.
  private static func modelOptFile(
    _ checkpoint: Checkpoint
  ) throws(SourceWeightsError) -> JSONValue? {
    let name = "hf_quant_config.json"
    let isName = { (path: FilePath) in path.lastComponent?.string == name }
    guard let path = checkpoint.sideFiles.first(where: isName) else { return nil }
    let limit = 64 << 20
    let json: JSONValue
    do {
      let file = try File(path: path)
      guard file.byteCount <= limit else {
        throw SourceWeightsError.unknownSetting(key: name, found: "\(file.byteCount) bytes")
      }
      json = try JSONValue(parsing: try file.bytes(in: 0..<file.byteCount), file: path)
    } catch let error as SourceWeightsError {
      throw error
    } catch let error as BytesError {
      throw .checkpoint(.file(error))
    } catch let error as JSONError {
      throw .checkpoint(.json(error))
    } catch {
      throw .unknownSetting(key: name, found: "\(error)")
    }
    guard let settings = json["quantization"], settings.object != nil else {
      throw .unknownSetting(key: "\(name): quantization", found: describe(json["quantization"]))
    }
    return settings
  }
}

/// A JSON value as an error shows it.
func describe(_ value: JSONValue?) -> String {
  switch value {
  case nil: "missing"
  case .null: "null"
  case .bool(let value): "\(value)"
  case .integer(let value): "\(value)"
  case .unsigned(let value): "\(value)"
  case .number(let value): "\(value)"
  case .string(let value): "\"\(value)\""
  case .array(let values): "[" + values.prefix(4).map { describe($0) }.joined(separator: ", ") + "]"
  case .object: "an object"
  }
}
