import Bytes
import SystemPackage
import Tensors

/// The kinds of files that hold tensors, told by their names.
enum WeightFileKind {
  case safetensors, pytorch, gguf, npz, npy

  static let extensions = ".safetensors, .bin, .pt, .pth, .gguf, .npz and .npy"

  init?(path: FilePath) {
    switch path.extension {
    case "safetensors": self = .safetensors
    case "bin", "pt", "pth": self = .pytorch
    case "gguf": self = .gguf
    case "npz": self = .npz
    case "npy": self = .npy
    default: return nil
    }
  }
}

/// What one weight file holds, whatever its kind.
struct WeightFileHeader {
  let source: SourceFile
  let tensors: [TensorRecord]
  /// The tensors that are not read as they lie in the file.
  let scattered: [String: ScatteredTensor]
  /// The header of a GGUF file, which says more.
  private(set) var gguf: GGUFFile?

  init(file: File, kind: WeightFileKind, fileIndex: Int) throws(CheckpointsError) {
    switch kind {
    case .safetensors:
      let header = try SafetensorsFile(file: file, fileIndex: fileIndex)
      source = SourceFile(
        path: file.path, byteCount: header.byteCount, headerByteCount: header.headerByteCount,
        headerChecksum: header.headerChecksum)
      (tensors, scattered) = (header.tensors, [:])
    case .pytorch:
      let header = try PyTorchFile(source: ByteSource(file: file), fileIndex: fileIndex)
      source = SourceFile(
        path: file.path, byteCount: header.byteCount, headerByteCount: header.headerByteCount,
        headerChecksum: header.headerChecksum)
      (tensors, scattered) = (header.tensors, header.scattered)
    case .gguf:
      let header = try GGUFFile(file: file, fileIndex: fileIndex)
      source = SourceFile(
        path: file.path, byteCount: header.byteCount, headerByteCount: header.headerByteCount,
        headerChecksum: header.headerChecksum)
      (tensors, scattered) = (header.tensors, [:])
      gguf = header
    case .npz, .npy:
      let header = try NumPyFile(
        source: ByteSource(file: file), isArchive: kind == .npz, fileIndex: fileIndex)
      source = SourceFile(
        path: file.path, byteCount: file.byteCount, headerByteCount: header.headerByteCount,
        headerChecksum: header.headerChecksum)
      (tensors, scattered) = (header.tensors, header.scattered)
    }
  }
}
