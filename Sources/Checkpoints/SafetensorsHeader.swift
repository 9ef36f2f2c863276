import Bytes
import SystemPackage
import Tensors

/// The JSON of a safetensors header, turned into records.
struct SafetensorsHeader {
  var metadata: [String: String] = [:]
  var tensors: [TensorRecord] = []

  /// - Parameters:
  ///   - json: The header without its length; it starts at byte 8 of the file.
  ///   - dataRange: Where in the file the data lies.
  init(
    json: RawSpan, path: FilePath, fileIndex: Int, dataRange: Range<Int>
  ) throws(CheckpointsError) {
    let firstByte = json.littleEndian(at: 0, as: UInt8.self)
    guard firstByte == 0x7B else { throw .headerWithoutBrace(file: path, firstByte: firstByte) }
    var unsoundEntry: CheckpointsError?
    do throws(JSONError) {
      var scanner = try JSONScanner(json, file: path, byteOffset: 8)
      try scanner.enterObject()
      var names: Set<String> = []
      while let name = try scanner.nextKey(isFirst: names.isEmpty) {
        guard names.insert(name).inserted else {
          throw scanner.duplicateKey(name, at: scanner.keyByteOffset)
        }
        if name == "__metadata__" {
          metadata = try Self.metadata(&scanner)
          continue
        }
        let entry = try SafetensorsEntry(name: name, &scanner)
        // An error in a tensor waits until the JSON is known to be sound: a header that was cut
        // or damaged is better described by that.
        guard unsoundEntry == nil else { continue }
        do throws(CheckpointsError) {
          tensors.append(
            try entry.record(file: path, fileIndex: fileIndex, dataRange: dataRange))
        } catch {
          unsoundEntry = error
        }
      }
      try scanner.finish()
    } catch {
      throw .json(error)
    }
    if let unsoundEntry { throw unsoundEntry }
    try arrange(path: path, dataRange: dataRange)
  }

  private static func metadata(
    _ scanner: inout JSONScanner
  ) throws(JSONError) -> [String: String] {
    var metadata: [String: String] = [:]
    try scanner.enterObject()
    while let key = try scanner.nextKey(isFirst: metadata.isEmpty) {
      let keyByteOffset = scanner.keyByteOffset
      let value = try scanner.string(expected: "a string (the values of __metadata__ are strings)")
      guard metadata.updateValue(value, forKey: key) == nil else {
        throw scanner.duplicateKey(key, at: keyByteOffset)
      }
    }
    return metadata
  }

  /// Sorts the tensors by their place and checks that they cover the data without hole or overlap.
  /// Bytes that belong to nothing would let one file mean two things.
  private mutating func arrange(
    path: FilePath, dataRange: Range<Int>
  ) throws(CheckpointsError) {
    tensors.sort {
      ($0.byteRange.lowerBound, $0.byteRange.upperBound)
        < ($1.byteRange.lowerBound, $1.byteRange.upperBound)
    }
    var end = dataRange.lowerBound
    var last = ""
    for tensor in tensors {
      let begin = tensor.byteRange.lowerBound
      if begin < end {
        throw .overlap(file: path, tensor: tensor.name, other: last, byteOffset: begin)
      }
      if begin > end { throw .hole(file: path, byteOffset: end, byteCount: begin - end) }
      end = tensor.byteRange.upperBound
      last = tensor.name
    }
    if end < dataRange.upperBound {
      throw .hole(file: path, byteOffset: end, byteCount: dataRange.upperBound - end)
    }
  }
}
