import Checkpoints
import SystemPackage
import Tensors

/// What the fuzzer and the tests try on any bytes: the reader must refuse them, or give tensors
/// that lie in the file one after the other. Returns false if it does neither.
func probeGGUF(_ bytes: RawSpan) -> Bool {
  let byteCount = bytes.byteCount
  let read: GGUFFile?
  do {
    read = try GGUFFile(beginning: bytes, path: "fuzz.gguf", byteCount: byteCount)
  } catch {
    return true
  }
  // All of the file was given, so that the header cannot end behind it.
  guard let file = read else { return false }
  var end = file.headerByteCount
  for tensor in file.tensors {
    guard tensor.byteRange.lowerBound >= end,
      tensor.shape.byteCount(of: tensor.dtype) == tensor.byteCount
    else { return false }
    if let blocks = tensor.blocks {
      let (values, size) = (tensor.valueShape.elementCount, blocks.elementsPerBlock)
      guard values % size == 0, values / size * blocks.bytesPerBlock == tensor.byteCount
      else { return false }
    }
    end = tensor.byteRange.upperBound
  }
  return end <= byteCount && Set(file.tensors.map(\.name)).count == file.tensors.count
}
