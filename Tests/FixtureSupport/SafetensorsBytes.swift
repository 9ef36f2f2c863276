/// Safetensors files as bytes, also ones that no writer would make.
public enum SafetensorsBytes {
  /// A file of this header text and as many zero bytes of data.
  public static func file(header: String, dataByteCount: Int) -> [UInt8] {
    file(header: Array(header.utf8), data: [UInt8](repeating: 0, count: dataByteCount))
  }

  /// A file of these header bytes and this data.
  public static func file(header: [UInt8], data: [UInt8]) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) } + header + data
  }

  /// A sound file: every tensor with its name, dtype, shape and bytes, in this order.
  public static func file(
    _ tensors: [(name: String, dtype: String, shape: [Int], bytes: [UInt8])]
  ) -> [UInt8] {
    var members: [String] = []
    var data: [UInt8] = []
    for tensor in tensors {
      let end = data.count + tensor.bytes.count
      members.append(
        "\"\(tensor.name)\":{\"dtype\":\"\(tensor.dtype)\",\"shape\":\(tensor.shape),"
          + "\"data_offsets\":[\(data.count),\(end)]}")
      data += tensor.bytes
    }
    return file(header: Array("{\(members.joined(separator: ","))}".utf8), data: data)
  }
}
