/// What is wrong with a file of PyTorch, or what of it is not read.
public enum PyTorchProblem: Sendable, Hashable, CustomStringConvertible {
  /// Neither a zip archive nor the older form.
  case neitherForm
  /// A zip archive without `data.pkl`, or with two.
  case noPickle
  case bigEndian
  case noStateDict(keys: [String])
  case tensorsInside(key: String)
  case nameNotText
  case duplicate(tensor: String)
  case missingStorage(tensor: String, key: String)
  case wrongStorageSize(tensor: String, key: String, expected: Int, found: Int)
  case shapeTooLarge(tensor: String)
  case outsideStorage(tensor: String, key: String, elementCount: Int)
  case repeatedElements(tensor: String, strides: [Int])
  case tooLargeToRearrange(tensor: String, byteCount: Int, limit: Int)
  case storageTooLarge(key: String)
  case wrongKeys
  case viewedStorage

  public var description: String {
    switch self {
    case .neitherForm:
      "this is no PyTorch file: neither a zip archive nor the form of before version 1.6"
    case .noPickle: "this zip file is no PyTorch file: it must hold exactly one data.pkl"
    case .bigEndian: "it was written on a big-endian machine, which is not read"
    case .noStateDict(let keys):
      "it holds no tensors by name, neither at its top nor under state_dict, model_state_dict, "
        + "model or module"
        + (keys.isEmpty ? "" : "; its keys are " + keys.joined(separator: ", "))
    case .tensorsInside(let key): "\(key) holds further tensors, beside tensors at the top"
    case .nameNotText: "a tensor has a name that is no text"
    case .duplicate(let tensor): "tensor \(tensor) is there twice"
    case .missingStorage(let tensor, let key):
      "tensor \(tensor): its storage \(key) is not in the file"
    case .wrongStorageSize(let tensor, let key, let expected, let found):
      "tensor \(tensor): its storage \(key) should have \(expected) bytes and has \(found)"
    case .shapeTooLarge(let tensor): "tensor \(tensor): its shape or strides overflow 64 bits"
    case .outsideStorage(let tensor, let key, let elementCount):
      "tensor \(tensor) does not lie within the \(elementCount) elements of its storage \(key)"
    case .repeatedElements(let tensor, let strides):
      "tensor \(tensor): its strides \(strides) use elements more than once; save it again with "
        + ".contiguous()"
    case .tooLargeToRearrange(let tensor, let byteCount, let limit):
      "tensor \(tensor) is compressed or not contiguous and spans \(byteCount) bytes, where at "
        + "most \(limit) are allowed; save it again with .contiguous()"
    case .storageTooLarge(let key): "the storage \(key) overflows 64 bits"
    case .wrongKeys: "the list of storages at its end is not one"
    case .viewedStorage: "a storage is a view of another one, as very old files have it"
    }
  }
}
