import Bytes
import SystemPackage

/// `model.safetensors.index.json`, or that of PyTorch files: which shard holds which tensor.
struct WeightIndex {
  let path: FilePath
  /// The kind of its shards.
  var kind: WeightFileKind {
    path.lastComponent?.string.hasPrefix("pytorch_model") == true ? .pytorch : .safetensors
  }
  /// The shards' names, in the order in which the index first names them, and a tensor of each.
  private(set) var shards: [(name: String, firstTensor: String)] = []
  /// The index into `shards` of every tensor.
  private(set) var shardOfTensor: [String: Int] = [:]

  init(path: FilePath) throws(CheckpointsError) {
    self.path = path
    let file = try File.open(path)
    let bytes = try file.read(0..<file.byteCount)
    do throws(JSONError) {
      try parse(bytes)
    } catch {
      throw .json(error)
    }
    if shardOfTensor.isEmpty { throw .indexWithoutWeights(index: path) }
    for (name, tensor) in shards where !Self.isInsideFolder(name) {
      throw .shardOutsideFolder(index: path, shard: name, tensor: tensor)
    }
  }

  private mutating func parse(_ bytes: [UInt8]) throws(JSONError) {
    var scanner = try JSONScanner(bytes.rawSpan, file: path)
    var keys: Set<String> = []
    try scanner.enterObject()
    while let key = try scanner.nextKey(isFirst: keys.isEmpty) {
      guard keys.insert(key).inserted else {
        throw scanner.duplicateKey(key, at: scanner.keyByteOffset)
      }
      if key == "weight_map" {
        try parseWeightMap(&scanner)
      } else {
        try scanner.skipValue()
      }
    }
    try scanner.finish()
  }

  private mutating func parseWeightMap(_ scanner: inout JSONScanner) throws(JSONError) {
    var shardIndices: [String: Int] = [:]
    try scanner.enterObject()
    while let tensor = try scanner.nextKey(isFirst: shardOfTensor.isEmpty) {
      let keyByteOffset = scanner.keyByteOffset
      let shard = try scanner.string(expected: "the name of a file in quotes")
      var index = shards.count
      if let known = shardIndices[shard] {
        index = known
      } else {
        shardIndices[shard] = index
        shards.append((shard, tensor))
      }
      guard shardOfTensor.updateValue(index, forKey: tensor) == nil else {
        throw scanner.duplicateKey(tensor, at: keyByteOffset)
      }
    }
  }

  /// Whether a name leads to a file in the folder of the index or below, in its shortest form.
  private static func isInsideFolder(_ name: String) -> Bool {
    if name.isEmpty || name.utf8.contains(0) { return false }
    let path = FilePath(name)
    return path.isRelative && path.string == name
      && path.components.allSatisfy { $0.kind == .regular }
  }
}
