import Checkpoints
import SystemPackage
import Tensors

/// What the fuzzer and the tests try on any bytes: the reader must refuse them, or give tensors
/// that cover the data exactly. Returns false if it does neither.
func probeSafetensors(_ bytes: RawSpan) -> Bool {
  let byteCount = bytes.byteCount
  guard
    let file = try? SafetensorsFile(header: bytes, path: "fuzz.safetensors", byteCount: byteCount)
  else { return true }
  var end = file.headerByteCount
  for tensor in file.tensors {
    guard tensor.byteRange.lowerBound == end,
      tensor.shape.byteCount(of: tensor.dtype) == tensor.byteCount
    else { return false }
    end = tensor.byteRange.upperBound
  }
  return end == byteCount && Set(file.tensors.map(\.name)).count == file.tensors.count
}
