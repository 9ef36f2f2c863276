public import Bytes
import Synchronization
import SystemPackage
public import Tensors

/// Writes a safetensors file: the header at once, then the tensors' bytes in any order, by any
/// number of threads.
///
/// The same tensors make the same bytes, those of the reference (`safetensors` of Hugging Face):
/// sorted by alignment, widest first, then by name; no space in the JSON; the header padded with
/// spaces to a multiple of 8 bytes.
public final class SafetensorsWriter: Sendable {
  /// A tensor that the file will hold.
  public struct Tensor: Sendable, Hashable {
    public var name: String
    public var dtype: DType
    public var shape: Shape

    public init(name: String, dtype: DType, shape: Shape) {
      self.name = name
      self.dtype = dtype
      self.shape = shape
    }
  }

  private let file: AtomicFile
  private let layout: SafetensorsLayout
  private let writtenByteCounts: Mutex<[Int]>

  /// Writes the header of `tensors` into `file` and gives the file its full size.
  /// - Throws: `json` with a repeated name, `partialByte`, `shapeTooLarge`, `file`.
  public init(
    file: AtomicFile, tensors: [Tensor], metadata: [String: String] = [:]
  ) throws(CheckpointsError) {
    self.file = file
    let layout = try SafetensorsLayout(tensors: tensors, metadata: metadata, path: file.path)
    let header = layout.header
    self.layout = layout
    writtenByteCounts = Mutex([Int](repeating: 0, count: layout.tensors.count))
    do throws(BytesError) {
      try file.setByteCount(layout.byteCount)
      try file.write(header.rawSpan, at: 0)
    } catch {
      throw .file(error)
    }
  }

  /// The size of the file that `tensors` would make.
  public static func byteCount(
    tensors: [Tensor], metadata: [String: String] = [:]
  ) throws(CheckpointsError) -> Int {
    try SafetensorsLayout(tensors: tensors, metadata: metadata, path: "").byteCount
  }

  /// Writes a part of a tensor, `byteOffset` counted within the tensor. No byte may come twice.
  public func write(
    _ bytes: RawSpan, of name: String, at byteOffset: Int
  ) throws(CheckpointsError) {
    guard let position = layout.positions[name] else {
      throw .unknownTensor(file: file.path, tensor: name)
    }
    let range = layout.byteRanges[position]
    guard byteOffset >= 0, byteOffset <= range.count, bytes.byteCount <= range.count - byteOffset
    else {
      throw .outsideTensor(
        tensor: name, byteOffset: byteOffset, wanted: bytes.byteCount, byteCount: range.count)
    }
    do throws(BytesError) {
      try file.write(bytes, at: range.lowerBound + byteOffset)
    } catch {
      throw .file(error)
    }
    let byteCount = bytes.byteCount
    writtenByteCounts.withLock { $0[position] += byteCount }
  }

  /// Publishes the file, unless a tensor has not been written in full.
  public func publish() throws(CheckpointsError) {
    let written = writtenByteCounts.withLock { $0 }
    for (position, range) in layout.byteRanges.enumerated() where written[position] != range.count {
      throw .incompleteTensor(
        file: file.path, tensor: layout.tensors[position].name, written: written[position],
        byteCount: range.count)
    }
    do throws(BytesError) {
      try file.publish()
    } catch {
      throw .file(error)
    }
  }
}
