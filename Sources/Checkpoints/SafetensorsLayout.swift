import Bytes
import SystemPackage
import Tensors

/// The order, places and header of the tensors of a safetensors file that is to be written.
struct SafetensorsLayout {
  /// In the order of their data.
  let tensors: [SafetensorsWriter.Tensor]
  /// Where each lies in the file.
  let byteRanges: [Range<Int>]
  /// Where in `tensors` each name is.
  let positions: [String: Int]
  /// The length, the JSON and its padding.
  let header: [UInt8]

  /// The size of the whole file.
  var byteCount: Int { byteRanges.last?.upperBound ?? header.count }

  init(
    tensors: [SafetensorsWriter.Tensor], metadata: [String: String], path: FilePath
  ) throws(CheckpointsError) {
    let order = Dictionary(
      uniqueKeysWithValues: DType.allCases.enumerated().map { ($0.element, $0.offset) })
    let sorted = tensors.sorted {
      let (left, right) = (order[$0.dtype] ?? 0, order[$1.dtype] ?? 0)
      return left == right ? $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) : left > right
    }
    var positions: [String: Int] = [:]
    var offsets: [Range<Int>] = []
    var json = "{"
    if !metadata.isEmpty {
      let members = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        .map { "\(Self.quoted($0.key)):\(Self.quoted($0.value))" }
      json += "\"__metadata__\":{\(members.joined(separator: ","))}"
    }
    var end = 0
    for (position, tensor) in sorted.enumerated() {
      guard positions.updateValue(position, forKey: tensor.name) == nil,
        tensor.name != "__metadata__"
      else {
        throw .json(JSONError(file: path, byteOffset: 8, problem: .duplicateKey(tensor.name)))
      }
      guard let byteCount = tensor.shape.byteCount(of: tensor.dtype) else {
        throw .partialByte(
          file: path, tensor: tensor.name, dtype: tensor.dtype, shape: tensor.shape)
      }
      let (next, overflow) = end.addingReportingOverflow(byteCount)
      // Room for the header, whose length is limited.
      guard !overflow, next < Int.max / 2 else {
        throw .shapeTooLarge(file: path, tensor: tensor.name, byteOffset: 8)
      }
      let shape = tensor.shape.dimensions.map(String.init).joined(separator: ",")
      json += json.utf8.count > 1 ? "," : ""
      json += "\(Self.quoted(tensor.name)):{\"dtype\":\"\(tensor.dtype.rawValue)\","
      json += "\"shape\":[\(shape)],\"data_offsets\":[\(end),\(next)]}"
      offsets.append(end..<next)
      end = next
    }
    json += "}"
    var text = Array(json.utf8)
    text += [UInt8](
      repeating: 0x20, count: text.count.roundedUp(toMultipleOf: 8) - text.count)
    guard text.count <= SafetensorsFile.headerByteLimit else {
      throw .headerTooLong(
        file: path, headerByteCount: UInt64(text.count), limit: SafetensorsFile.headerByteLimit)
    }
    var header: [UInt8] = []
    header.appendLittleEndian(UInt64(text.count))
    header += text
    self.tensors = sorted
    self.positions = positions
    self.header = header
    let start = header.count
    byteRanges = offsets.map { start + $0.lowerBound..<start + $0.upperBound }
  }

  /// A JSON string, escaped as little as RFC 8259 allows.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case "\u{8}": quoted += "\\b"
      case "\u{C}": quoted += "\\f"
      case _ where scalar.value < 0x20:
        quoted += "\\u00" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
