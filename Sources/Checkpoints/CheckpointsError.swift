public import Bytes
public import SystemPackage
public import Tensors

/// Why a checkpoint cannot be read. Byte offsets count from the start of the file.
public enum CheckpointsError: KelterError {
  /// A file could not be opened, read or written.
  case file(BytesError)
  /// A header, index or configuration is not the JSON that it must be.
  case json(JSONError)
  /// A file is not the GGUF that it must be.
  case gguf(GGUFError)
  /// A folder without an index and without `model.safetensors`.
  case noWeights(folder: FilePath, found: [String])
  /// A file of a kind that is not read.
  case unsupportedFile(path: FilePath)

  // The header of a safetensors file, in the order in which it is checked.
  case tooSmall(file: FilePath, byteCount: Int)
  case headerTooLong(file: FilePath, headerByteCount: UInt64, limit: Int)
  case headerPastEnd(file: FilePath, headerByteCount: Int, byteCount: Int)
  case headerWithoutBrace(file: FilePath, firstByte: UInt8?)
  case missingField(file: FilePath, tensor: String, field: String, byteOffset: Int)
  case unknownField(file: FilePath, tensor: String, field: String, byteOffset: Int)
  case unknownDType(file: FilePath, tensor: String, dtype: String, byteOffset: Int)
  case negativeDimension(file: FilePath, tensor: String, byteOffset: Int)
  case shapeTooLarge(file: FilePath, tensor: String, byteOffset: Int)
  case partialByte(file: FilePath, tensor: String, dtype: DType, shape: Shape)
  case notTwoOffsets(file: FilePath, tensor: String, byteOffset: Int)
  case reversedOffsets(file: FilePath, tensor: String, begin: Int, end: Int, byteOffset: Int)
  case offsetsPastEnd(file: FilePath, tensor: String, end: Int, dataByteCount: Int)
  case wrongByteCount(
    file: FilePath, tensor: String, dtype: DType, shape: Shape, expected: Int, found: Int)
  case overlap(file: FilePath, tensor: String, other: String, byteOffset: Int)
  case hole(file: FilePath, byteOffset: Int, byteCount: Int)

  // The other kinds of weight files.
  case zip(file: FilePath, byteOffset: Int, ZipProblem)
  /// The byte offset is that within the pickle where it is deflated.
  case pickle(file: FilePath, byteOffset: Int, PickleProblem)
  case pytorch(file: FilePath, PyTorchProblem)
  case numpy(file: FilePath, array: String, NumPyProblem)

  // The index of a sharded checkpoint.
  case indexWithoutWeights(index: FilePath)
  case shardOutsideFolder(index: FilePath, shard: String, tensor: String)
  case missingShard(index: FilePath, shard: String, tensor: String)
  case missingTensor(index: FilePath, shard: String, tensor: String)
  case unindexedTensor(index: FilePath, shard: FilePath, tensor: String)
  case duplicateTensor(tensor: String, file: FilePath, other: FilePath)

  case configTooLarge(path: FilePath, byteCount: Int, limit: Int)
  case configNotAnObject(path: FilePath)

  // Reading and writing values.
  case unreadableTensor(tensor: String, BytesError)
  case outsideTensor(tensor: String, byteOffset: Int, wanted: Int, byteCount: Int)
  case unsuitableDType(tensor: String, dtype: DType, wanted: String)
  case valueTooLarge(tensor: String, index: Int)
  case unknownTensor(file: FilePath, tensor: String)
  case incompleteTensor(file: FilePath, tensor: String, written: Int, byteCount: Int)

  public var kind: FailureKind {
    switch self {
    case .file(let error), .unreadableTensor(_, let error): error.kind
    case .noWeights: .notFound
    default: .invalidInput
    }
  }
}
