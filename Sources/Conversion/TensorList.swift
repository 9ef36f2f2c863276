import Bytes
public import Checkpoints
import Tensors

/// The tensors of a checkpoint as its files have them, whatever model they belong to:
/// formats/tensors.schema.json.
public struct TensorList: Encodable, Sendable {
  public struct Entry: Encodable, Sendable {
    public let name: String
    /// As safetensors names it; of blocks, as gguf-py names them.
    public let dtype: String
    public let shape: [Int]
    public let bytes: Int
    /// The file's name.
    public let file: String
    /// XXH3-64 of the values, or of the blocks, row-major and little-endian, in 16 hexadecimal
    /// digits.
    public let checksum: String?
  }

  public let tensors: [Entry]
  /// What the folder holds besides and that is not read.
  public let notRead: [String]

  enum CodingKeys: String, CodingKey {
    case tensors
    case notRead = "not_read"
  }

  /// - Parameter checksums: whether to read all values, in pieces of 1 MiB.
  public init(checkpoint: Checkpoint, checksums: Bool) throws(CheckpointsError) {
    tensors = try checkpoint.tensors.map { tensor throws(CheckpointsError) in
      Entry(
        name: tensor.name, dtype: tensor.blocks?.name ?? tensor.dtype.rawValue,
        shape: tensor.valueShape.dimensions,
        bytes: tensor.byteCount, file: Source.name(of: checkpoint.files[tensor.fileIndex].path),
        checksum: checksums ? try Self.checksum(of: tensor, in: checkpoint) : nil)
    }
    notRead = checkpoint.unreadFiles.map { Source.name(of: $0) }
  }

  private static func checksum(
    of tensor: TensorRecord, in checkpoint: Checkpoint
  ) throws(CheckpointsError) -> String {
    let pieceByteCount = 1 << 20
    var buffer = [UInt8](repeating: 0, count: min(tensor.byteCount, pieceByteCount))
    var checksum = Checksum()
    var position = 0
    while position < tensor.byteCount {
      let count = min(buffer.count, tensor.byteCount - position)
      if count < buffer.count { buffer.removeLast(buffer.count - count) }
      var span = buffer.mutableRawSpan
      try checkpoint.read(tensor, from: position, into: &span)
      checksum.update(buffer.rawSpan)
      position += count
    }
    return checksum.value().hexadecimal
  }
}
