import Bytes
import Synchronization

/// Writes the pieces of extents while others are made, and reuses their buffers.
final class PieceWriter: Sendable {
  /// How much of an extent is collected before it is written: pieces of this size cost a disk
  /// least.
  static let byteCount = 8 << 20
  /// How many pieces may wait to be written or be under way.
  static let limit = 3

  /// The buffers that nobody uses at the moment.
  private final class IdleBuffers: Sendable {
    private let buffers = Mutex<[PageBuffer]>([])

    func take() -> PageBuffer? { buffers.withLock { $0.popLast() } }
    func giveBack(_ buffer: PageBuffer) { buffers.withLock { $0.append(buffer) } }
  }

  private let output: AtomicFile
  private let check: WriteQueue.Work
  private let idle = IdleBuffers()
  private let queue = WriteQueue(limit: limit)

  /// - Parameter check: is called before each piece; what it throws counts as an error of writing,
  ///   so that what waits is dropped.
  init(output: AtomicFile, check: @escaping WriteQueue.Work) {
    self.output = output
    self.check = check
  }

  /// An empty buffer.
  func buffer() -> PageBuffer { idle.take() ?? PageBuffer(capacity: Self.byteCount) }

  /// Takes a buffer whose bytes belong at an offset of the file. An error may come up later, with
  /// any other call.
  func write(_ buffer: PageBuffer, at byteOffset: Int) throws(ContainerError) {
    try throwing { [output, check, idle, queue] () throws(BytesError) in
      try queue.write { () throws(BytesError) in
        try check()
        try output.write(buffer.bytes, at: byteOffset)
        buffer.removeAll()
        idle.giveBack(buffer)
      }
    }
  }

  /// Calls `body` once all pieces so far are written.
  func afterwards(_ body: @escaping WriteQueue.Work) throws(ContainerError) {
    try throwing { [queue] () throws(BytesError) in try queue.afterwards(body) }
  }

  /// Waits until all pieces are written.
  func finish() throws(ContainerError) {
    try throwing { [queue] () throws(BytesError) in try queue.finish() }
  }

  private func throwing(_ body: () throws(BytesError) -> Void) throws(ContainerError) {
    do throws(BytesError) {
      try body()
    } catch {
      throw .file(error)
    }
  }
}
