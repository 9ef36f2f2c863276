import Bytes
import SystemPackage
import Tensors

extension CheckpointsError {
  /// "version ", with which a Git LFS pointer begins, as the size of a header.
  private static let pointerStart: UInt64 = 0x206E_6F69_7372_6576

  public var description: String {
    switch self {
    case .file(let error): error.description
    case .json(let error): error.description
    case .gguf(let error): error.description
    case .noWeights(let folder, let found):
      "\(folder): neither model.safetensors nor pytorch_model.bin is there, and no index; "
        + (found.isEmpty ? "the folder is empty" : "it holds \(Self.listed(found))")
    case .unsupportedFile(let path):
      "\(path): only \(WeightFileKind.extensions) files and folders are read"
    case .tooSmall(let file, let byteCount):
      "\(file): \(byteCount) bytes are too few for a safetensors file; fetch it again"
    case .headerTooLong(let file, Self.pointerStart, _):
      "\(file): begins as a Git LFS pointer, not as the file that it stands for; fetch that with"
        + " git lfs pull, or hf download"
    case .headerTooLong(let file, let headerByteCount, let limit):
      "\(file): byte 0: the header claims \(headerByteCount) bytes and at most \(limit) are "
        + "allowed; this is no safetensors file, or it is damaged"
    case .headerPastEnd(let file, let headerByteCount, let byteCount):
      "\(file): byte 0: the header claims \(headerByteCount) bytes and the file has \(byteCount) "
        + "in all; it is truncated: fetch it again"
    case .headerWithoutBrace(let file, let firstByte):
      "\(file): byte 8: the header must begin with '{'"
        + (firstByte.map { ", found byte 0x" + String($0, radix: 16) } ?? ", and it is empty")
    case .missingField(let file, let tensor, let field, let byteOffset):
      "\(file): byte \(byteOffset): tensor \(tensor) lacks \"\(field)\""
    case .unknownField(let file, let tensor, let field, let byteOffset):
      "\(file): byte \(byteOffset): tensor \(tensor) has the unknown field \"\(field)\""
    case .unknownDType(let file, let tensor, let dtype, let byteOffset):
      "\(file): byte \(byteOffset): tensor \(tensor) has the unknown dtype \"\(dtype)\""
    case .negativeDimension(let file, let tensor, let byteOffset):
      "\(file): byte \(byteOffset): tensor \(tensor) has a negative dimension"
    case .shapeTooLarge(let file, let tensor, let byteOffset):
      "\(file): byte \(byteOffset): the shape of tensor \(tensor) overflows 64 bits"
    case .partialByte(let file, let tensor, let dtype, let shape):
      "\(file): tensor \(tensor), \(dtype.rawValue) \(shape), does not end on a whole byte"
    case .notTwoOffsets(let file, let tensor, let byteOffset):
      "\(file): byte \(byteOffset): \"data_offsets\" of tensor \(tensor) must be two whole numbers "
        + "that are not negative"
    case .reversedOffsets(let file, let tensor, let begin, let end, let byteOffset):
      "\(file): byte \(byteOffset): tensor \(tensor) begins at \(begin) and ends before, at \(end)"
    case .offsetsPastEnd(let file, let tensor, let end, let dataByteCount):
      "\(file): tensor \(tensor) ends at byte \(end) of the data, which has \(dataByteCount) "
        + "bytes; the file is truncated: fetch it again"
    case .wrongByteCount(let file, let tensor, let dtype, let shape, let expected, let found):
      "\(file): tensor \(tensor), \(dtype.rawValue) \(shape), needs \(expected) bytes and its "
        + "offsets span \(found)"
    case .overlap(let file, let tensor, let other, let byteOffset):
      "\(file): byte \(byteOffset): tensor \(tensor) overlaps tensor \(other)"
    case .hole(let file, let byteOffset, let byteCount):
      "\(file): byte \(byteOffset): \(byteCount) bytes belong to no tensor"
    case .zip(let file, let byteOffset, let problem): "\(file): byte \(byteOffset): \(problem)"
    case .pickle(let file, let byteOffset, let problem): "\(file): byte \(byteOffset): \(problem)"
    case .pytorch(let file, let problem): "\(file): \(problem)"
    case .numpy(let file, let array, let problem): "\(file): array \(array): \(problem)"
    case .indexWithoutWeights(let index):
      "\(index): \"weight_map\" is missing or empty"
    case .shardOutsideFolder(let index, let shard, let tensor):
      "\(index): tensor \(tensor) is said to lie in \"\(shard)\", which is no file inside the "
        + "folder"
    case .missingShard(let index, let shard, let tensor):
      "\(index): tensor \(tensor) is said to lie in \(shard), which is not there; fetch that file"
    case .missingTensor(let index, let shard, let tensor):
      "\(index): tensor \(tensor) is said to lie in \(shard), which does not hold it"
    case .unindexedTensor(let index, let shard, let tensor):
      "\(shard): tensor \(tensor) is not named by \(index.lastComponent?.string ?? "the index"); "
        + "mend the index or fetch both again"
    case .duplicateTensor(let tensor, let file, let other):
      "\(file): tensor \(tensor) is also in \(other.lastComponent?.string ?? other.string)"
    case .configTooLarge(let path, let byteCount, let limit):
      "\(path): \(byteCount) bytes are too many for a configuration (at most \(limit))"
    case .configNotAnObject(let path): "\(path): the configuration must be a JSON object"
    case .unreadableTensor(let tensor, let error): "\(error), in tensor \(tensor)"
    case .outsideTensor(let tensor, let byteOffset, let wanted, let byteCount):
      "tensor \(tensor): \(wanted) bytes at byte \(byteOffset) are not inside its \(byteCount) "
        + "bytes"
    case .unsuitableDType(let tensor, let dtype, let wanted):
      "tensor \(tensor): its dtype is \(dtype.rawValue), where \(wanted) is wanted"
    case .valueTooLarge(let tensor, let index):
      "tensor \(tensor): element \(index) does not fit into a signed 64-bit number"
    case .unknownTensor(let file, let tensor):
      "\(file): tensor \(tensor) is not in the header that was written"
    case .incompleteTensor(let file, let tensor, let written, let byteCount):
      "\(file): tensor \(tensor): \(written) of \(byteCount) bytes were written"
    }
  }

  private static func listed(_ names: [String]) -> String {
    names.prefix(8).joined(separator: ", ")
      + (names.count > 8 ? " and \(names.count - 8) more" : "")
  }
}
