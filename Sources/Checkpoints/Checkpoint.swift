public import Bytes
import Synchronization
public import SystemPackage
import Tensors

/// A weight file of a checkpoint.
public struct SourceFile: Sendable, Hashable {
  public let path: FilePath
  /// The size of the whole file.
  public let byteCount: Int
  /// The size of what describes its tensors: where the data begins in a safetensors file, the
  /// pickle and the directory of a PyTorch file.
  public let headerByteCount: Int
  /// XXH3-64 of the header: names, shapes and places of all its tensors.
  public let headerChecksum: UInt64
}

/// The tensors of a released model, in one weight file or in many.
///
/// A folder is what `model.safetensors.index.json` names, else `model.safetensors`, else what
/// `pytorch_model.bin.index.json` names, else `pytorch_model.bin`. Index and shards must agree in
/// every tensor. Opening reads headers only; values are read when asked for, by any number of
/// threads at once.
public final class Checkpoint: Sendable {
  /// The folder or file that was opened.
  public let path: FilePath
  /// `config.json`, or the keys and values of a GGUF file; nil if there is none.
  public let config: JSONValue?
  /// The keys and values of a GGUF file, which are its `config` too; nil for any other source.
  public let ggufMetadata: [String: JSONValue]?
  /// The weight files, sorted by name.
  public let files: [SourceFile]
  /// Files that belong to the model and hold no weights: configuration, tokenizer, templates,
  /// licence.
  public let sideFiles: [FilePath]
  /// Everything else in the folder, which is not read.
  public let unreadFiles: [FilePath]
  /// All tensors, sorted by the bytes of their names.
  public let tensors: [TensorRecord]
  private let positions: [String: Int]
  private let openFiles: [File]
  private let scattered: [[String: ScatteredTensor]]
  /// The scattered tensor that was read last, for readers that take it piece by piece.
  private let rearranged = Mutex<(name: String, values: [UInt8])?>(nil)

  /// Opens a folder, or one weight file (with the configuration beside it, if any): safetensors,
  /// PyTorch's `.bin`, `.pt` and `.pth`, NumPy's `.npz` and `.npy`; or a
  /// `.gguf` file (with the other parts, if it is one of several).
  public init(path: FilePath) throws(CheckpointsError) {
    self.path = path
    let kind: Folder.Kind?
    do throws(BytesError) {
      kind = try Folder.kind(of: path)
    } catch {
      throw .file(error)
    }
    let folder: CheckpointFolder?
    let weights: WeightFiles
    switch kind {
    case nil: throw .file(.notFound(path: path))
    case .other: throw .file(.notAFile(path: path))
    case .folder:
      let found = try CheckpointFolder(path)
      folder = found
      weights = try WeightFiles(folder: found)
      unreadFiles = found.unreadFiles(read: weights.topLevelNames)
    case .file:
      guard let kind = WeightFileKind(path: path) else { throw .unsupportedFile(path: path) }
      if kind == .gguf {
        // A GGUF file has configuration and tokenizer in itself.
        folder = nil
        weights = try WeightFiles(gguf: path)
        unreadFiles = []
        break
      }
      // Files beside a lone file are its own only if a configuration says that this is a model.
      let beside = try CheckpointFolder(path.removingLastComponent())
      folder = beside.contains("config.json") ? beside : nil
      weights = try WeightFiles(paths: [path])
      unreadFiles = []
    }
    files = weights.sources
    openFiles = weights.files
    scattered = weights.scattered
    tensors = weights.tensors
    positions = weights.positions
    sideFiles = try folder?.sideFiles ?? []
    ggufMetadata = weights.ggufMetadata
    if let metadata = weights.ggufMetadata {
      config = .object(metadata)
    } else if let folder, folder.contains("config.json") {
      config = try Self.readConfig(folder.folder.appending("config.json"))
    } else {
      config = nil
    }
  }

  /// The most bytes that a tensor takes up in memory as a whole because its values do not lie in
  /// the file one after the other; 0 where none does.
  public var rearrangedByteCount: Int {
    scattered.lazy.flatMap(\.values).map(\.span.count).max() ?? 0
  }

  /// The tensor of this name.
  public subscript(name: String) -> TensorRecord? { positions[name].map { tensors[$0] } }

  /// The place in `tensors` of the tensor of this name.
  public func position(of name: String) -> Int? { positions[name] }

  /// Fills `bytes` with the values of a tensor from `byteOffset`, counted within the tensor, on.
  public func read(
    _ tensor: TensorRecord, from byteOffset: Int, into bytes: inout MutableRawSpan
  ) throws(CheckpointsError) {
    guard byteOffset >= 0, byteOffset <= tensor.byteCount,
      bytes.byteCount <= tensor.byteCount - byteOffset
    else {
      throw .outsideTensor(
        tensor: tensor.name, byteOffset: byteOffset, wanted: bytes.byteCount,
        byteCount: tensor.byteCount)
    }
    if let place = scattered[tensor.fileIndex][tensor.name] {
      try read(tensor, at: place, from: byteOffset, into: &bytes)
      return
    }
    do throws(BytesError) {
      try openFiles[tensor.fileIndex].read(
        at: tensor.byteRange.lowerBound + byteOffset, into: &bytes)
    } catch {
      throw .unreadableTensor(tensor: tensor.name, error)
    }
  }

  /// Rearranges the whole tensor, unless it is the last one that was, and hands out a part of it.
  private func read(
    _ tensor: TensorRecord, at place: ScatteredTensor, from byteOffset: Int,
    into bytes: inout MutableRawSpan
  ) throws(CheckpointsError) {
    let file = openFiles[tensor.fileIndex]
    let values = try rearranged.withLock { last throws(CheckpointsError) -> [UInt8] in
      if let last, last.name == tensor.name { return last.values }
      last = nil
      let values = try place.values(from: file)
      last = (tensor.name, values)
      return values
    }
    unsafe bytes.withUnsafeMutableBytes { target in
      unsafe values.withUnsafeBytes { source in
        unsafe target.copyMemory(
          from: UnsafeRawBufferPointer(
            rebasing: source[byteOffset..<byteOffset + target.count]))
      }
    }
  }

  /// All bytes of a tensor.
  public func bytes(of tensor: TensorRecord) throws(CheckpointsError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: tensor.byteCount)
    var span = bytes.mutableRawSpan
    try read(tensor, from: 0, into: &span)
    return bytes
  }

  private static func readConfig(_ path: FilePath) throws(CheckpointsError) -> JSONValue {
    // Configurations have a few kilobytes, lists of quantized layers a few megabytes.
    let limit = 64 << 20
    let file = try File.open(path)
    guard file.byteCount <= limit else {
      throw .configTooLarge(path: path, byteCount: file.byteCount, limit: limit)
    }
    let bytes = try file.read(0..<file.byteCount)
    do throws(JSONError) {
      let config = try JSONValue(parsing: bytes, file: path)
      if case .object = config { return config }
    } catch {
      throw .json(error)
    }
    throw .configNotAnObject(path: path)
  }
}
