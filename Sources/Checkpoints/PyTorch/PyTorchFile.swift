import Bytes
package import SystemPackage
import Tensors

/// The tensors of one file that `torch.save` wrote: a zip archive, or the form of before version
/// 1.6.
///
/// Sources: torch/serialization.py, caffe2/serialize/inline_container.h.
package struct PyTorchFile: Sendable {
  package let path: FilePath
  package let byteCount: Int
  /// The size of what describes the tensors: the pickles, and a zip archive's directory.
  package let headerByteCount: Int
  /// XXH3-64 of those.
  package let headerChecksum: UInt64
  /// In the order of the state dict.
  package let tensors: [TensorRecord]
  /// Those that are not read as they lie.
  let scattered: [String: ScatteredTensor]

  package init(source: ByteSource, fileIndex: Int = 0) throws(CheckpointsError) {
    let start = try source.read(0..<min(4, source.byteCount))
    if start.littleEndian(at: 0, as: UInt32.self) == 0x0403_4B50 {
      try self.init(archive: try ZipArchive(source: source), fileIndex: fileIndex)
    } else {
      try self.init(legacy: try LegacyPyTorchFile(source: source), fileIndex: fileIndex)
    }
  }

  private init(archive: ZipArchive, fileIndex: Int) throws(CheckpointsError) {
    let source = archive.source
    func problem(_ problem: PyTorchProblem) -> CheckpointsError {
      .pytorch(file: source.path, problem)
    }
    let pickles = archive.entries.filter { $0.name.hasSuffix("/data.pkl") }
    guard pickles.count == 1, let entry = pickles.first else { throw problem(.noPickle) }
    let folder = entry.name.dropLast("data.pkl".count)
    if let byteOrder = archive["\(folder)byteorder"] {
      guard try archive.bytes(of: byteOrder, limit: 64) == Array("little".utf8) else {
        throw problem(.bigEndian)
      }
    }
    let pickle = try archive.bytes(of: entry, limit: PickleMachine.byteLimit)
    // Byte offsets of errors are those in the file, where the pickle is not deflated.
    var machine = PickleMachine(
      bytes: pickle, path: source.path,
      baseOffset: entry.isDeflated ? 0 : entry.storedRange.lowerBound)
    let state = try StateDict(top: try machine.run(), machine: machine)
    try self.init(
      source: source, header: [pickle, archive.directory], state: state, fileIndex: fileIndex
    ) { key in
      archive["\(folder)data/\(key)"].map { entry in
        StorageExtent(
          range: entry.isDeflated ? 0..<entry.byteCount : entry.storedRange,
          deflated: entry.isDeflated ? (archive, entry) : nil)
      }
    }
  }

  private init(legacy: LegacyPyTorchFile, fileIndex: Int) throws(CheckpointsError) {
    try self.init(
      source: legacy.source, header: [legacy.header], state: legacy.state, fileIndex: fileIndex
    ) { legacy.storages[$0].map { StorageExtent(range: $0, deflated: nil) } }
  }

  private init(
    source: ByteSource, header: [[UInt8]], state: StateDict, fileIndex: Int,
    extent: (String) -> StorageExtent?
  ) throws(CheckpointsError) {
    path = source.path
    byteCount = source.byteCount
    headerByteCount = header.reduce(0) { $0 + $1.count }
    var checksum = Checksum()
    for part in header { checksum.update(part.rawSpan) }
    headerChecksum = checksum.value()
    var placement = TensorPlacement(path: source.path, fileIndex: fileIndex)
    for (name, tensor) in state.tensors {
      try placement.place(
        name, tensor, in: state.storages[tensor.storage], extent: extent)
    }
    tensors = placement.tensors
    scattered = placement.scattered
  }
}
