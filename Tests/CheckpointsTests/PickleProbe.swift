import Checkpoints
import SystemPackage
import Tensors

/// What the fuzzer and the tests try on any bytes, as a file of PyTorch, as one of NumPy, and as a
/// pickle on its own: the readers must refuse them, or give tensors that lie within the file.
/// Returns false if they do neither.
func probePickle(_ bytes: [UInt8]) -> Bool {
  _ = try? PickleMachine(checking: bytes)
  let source = ByteSource(bytes: bytes, path: "fuzz.bin")
  var tensors: [TensorRecord] = []
  if let file = try? PyTorchFile(source: source) { tensors += file.tensors }
  for isArchive in [true, false] {
    if let file = try? NumPyFile(source: source, isArchive: isArchive) { tensors += file.tensors }
  }
  return tensors.allSatisfy {
    $0.byteRange.lowerBound >= 0 && $0.byteRange.upperBound <= bytes.count
      && $0.byteCount == $0.shape.byteCount(of: $0.dtype)
  }
}
