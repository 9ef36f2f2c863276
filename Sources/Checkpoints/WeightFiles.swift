import Bytes
import SystemPackage

/// The opened weight files of a checkpoint and their tensors.
struct WeightFiles {
  private(set) var files: [File] = []
  private(set) var sources: [SourceFile] = []
  private(set) var tensors: [TensorRecord] = []
  /// Of each file, the tensors that are not read as they lie in it.
  private(set) var scattered: [[String: ScatteredTensor]] = []
  /// Where in `tensors` each name is.
  private(set) var positions: [String: Int] = [:]
  /// The first component, within the folder, of the index and of every file read.
  private(set) var topLevelNames: Set<String> = []
  /// The keys and values of a GGUF file.
  private(set) var ggufMetadata: [String: JSONValue]?

  /// Opens what the index of a folder names, or its single file; safetensors before others.
  init(folder: CheckpointFolder) throws(CheckpointsError) {
    for (index, single) in CheckpointFolder.weightNames {
      if folder.contains(index) {
        try self.init(
          index: try WeightIndex(path: folder.folder.appending(index)), folder: folder.folder)
        return
      }
      if folder.contains(single) {
        try self.init(paths: [folder.folder.appending(single)])
        return
      }
    }
    throw .noWeights(folder: folder.folder, found: folder.names)
  }

  /// Opens files that have no index.
  init(paths: [FilePath]) throws(CheckpointsError) {
    for path in paths { try open(path) }
    topLevelNames = Set(paths.compactMap(\.lastComponent?.string))
    try sortTensors()
  }

  /// Opens a GGUF file, and the other parts of a model that was split.
  init(gguf path: FilePath) throws(CheckpointsError) {
    let header = try open(path).gguf
    if let split = header?.split, split.partCount > 1 {
      self = try WeightFiles(split: split, path: path)
    } else {
      topLevelNames = Set([path].compactMap(\.lastComponent?.string))
      ggufMetadata = header?.metadata
    }
    try sortTensors()
  }

  /// Opens all parts of a split model; the first one tells what it is.
  private init(split: GGUFSplit, path: FilePath) throws(CheckpointsError) {
    let parts = try split.parts(of: path)
    for (index, part) in parts.enumerated() {
      guard let header = try open(part).gguf else { throw .unsupportedFile(path: part) }
      try split.check(part: index, header: header)
      if index == 0 { ggufMetadata = header.metadata }
    }
    topLevelNames = Set(parts.compactMap(\.lastComponent?.string))
    try split.check(tensorCount: tensors.count, of: path)
  }

  /// Opens the shards of an index and checks that both agree.
  private init(index: WeightIndex, folder: FilePath) throws(CheckpointsError) {
    topLevelNames = Set([index.path.lastComponent].compactMap { $0?.string })
    let shards = index.shards.indices.sorted { index.shards[$0].name < index.shards[$1].name }
    for shard in shards {
      let (name, tensor) = index.shards[shard]
      guard let kind = WeightFileKind(path: FilePath(name)), kind == index.kind else {
        throw .unsupportedFile(path: folder.appending(name))
      }
      do throws(CheckpointsError) {
        try open(folder.appending(name))
      } catch .file(.notFound) {
        throw .missingShard(index: index.path, shard: name, tensor: tensor)
      }
      topLevelNames.insert(FilePath(name).components.first?.string ?? name)
    }
    try sortTensors()
    for tensor in tensors {
      guard let shard = index.shardOfTensor[tensor.name] else {
        throw .unindexedTensor(
          index: index.path, shard: files[tensor.fileIndex].path, tensor: tensor.name)
      }
      if shards[tensor.fileIndex] != shard {
        throw .missingTensor(
          index: index.path, shard: index.shards[shard].name, tensor: tensor.name)
      }
    }
    guard index.shardOfTensor.count > tensors.count else { return }
    let missing = index.shardOfTensor.filter { positions[$0.key] == nil }
    if let (tensor, shard) = missing.min(by: { $0.key < $1.key }) {
      throw .missingTensor(index: index.path, shard: index.shards[shard].name, tensor: tensor)
    }
  }

  @discardableResult
  private mutating func open(_ path: FilePath) throws(CheckpointsError) -> WeightFileHeader {
    guard let kind = WeightFileKind(path: path) else { throw .unsupportedFile(path: path) }
    let file = try File.open(path)
    let header = try WeightFileHeader(file: file, kind: kind, fileIndex: files.count)
    sources.append(header.source)
    files.append(file)
    tensors += header.tensors
    scattered.append(header.scattered)
    return header
  }

  private mutating func sortTensors() throws(CheckpointsError) {
    // For ASCII, the order of strings is the order of their bytes, and it is the faster one.
    if tensors.allSatisfy({ $0.name.utf8.allSatisfy { $0 < 0x80 } }) {
      tensors.sort { $0.name < $1.name }
    } else {
      tensors.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }
    positions.reserveCapacity(tensors.count)
    for (position, tensor) in tensors.enumerated() {
      if let other = positions.updateValue(position, forKey: tensor.name) {
        throw .duplicateTensor(
          tensor: tensor.name, file: files[tensor.fileIndex].path,
          other: files[tensors[other].fileIndex].path)
      }
    }
  }
}
