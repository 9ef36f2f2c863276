import Bytes
public import Container
internal import Synchronization
public import SystemPackage

extension Archive {
  /// Packs a container as frames of at most 1 MiB, of which the header, every section of the index
  /// and every extent start one. The container's checksums are compared on the way.
  ///
  /// The bytes are the same for any number of threads, and the same libzstd.
  /// - Throws: `ConversionError.damagedContainer` for a wrong checksum; nothing is published then.
  public static func pack(
    _ reader: ContainerReader, to path: FilePath, level: Int = defaultLevel, threads: Int? = nil,
    force: Bool = false, progress: ProgressHandler? = nil
  ) throws -> Summary {
    guard reader.archive == nil else {
      throw ConversionError.packedAlready(file: reader.path.string)
    }
    try check(path, madeFrom: reader.path)
    var check = StretchCheck(path: reader.path, stretches: try reader.stretches())
    let frames = frames(of: check.stretches)
    let threads = Self.threads(threads)
    let output = try AtomicFile(path: path, replacing: force, magic: ArchiveWriter.magic)
    do {
      try OutputRoom.check(for: 0, at: path)
      var writer = ArchiveWriter(file: output)
      // As many as keep all threads at work, and no more than memory should hold.
      let batchCount = 4 * threads
      for start in stride(from: 0, to: frames.count, by: batchCount) {
        let batch = Array(frames[start..<min(start + batchCount, frames.count)])
        for (content, frame) in try pack(batch, of: reader, level: level, threads: threads) {
          try check.add(content)
          try writer.append(frame)
        }
        progress?(
          Progress(
            phase: "pack", detail: "", done: batch.last?.upperBound ?? 0, total: reader.byteCount))
      }
      let byteCount = try writer.finish()
      try Interruption.check()
      try output.publish()
      return Summary(
        file: path.string, packedBytes: byteCount, unpackedBytes: reader.byteCount,
        frames: frames.count)
    } catch {
      output.discard()
      throw error
    }
  }

  private static func frames(of stretches: [ContainedStretch]) -> [Range<Int>] {
    stretches.flatMap { stretch in
      stride(
        from: stretch.byteRange.lowerBound, to: stretch.byteRange.upperBound, by: frameByteCount
      )
      .map { $0..<min($0 + frameByteCount, stretch.byteRange.upperBound) }
    }
  }

  /// Reads and packs some frames at once.
  private static func pack(
    _ frames: [Range<Int>], of reader: ContainerReader, level: Int, threads: Int
  ) throws -> [(content: [UInt8], frame: PackedFrame)] {
    let packed = Mutex<[Int: (content: [UInt8], frame: PackedFrame)]>([:])
    try WorkerPool.forEach(count: frames.count, threads: threads) { index in
      try Interruption.check()
      let content = try reader.file.bytes(in: frames[index])
      let frame = try PackedFrame(content.rawSpan, level: level)
      packed.withLock { $0[index] = (content, frame) }
    }
    return packed.withLock { packed in frames.indices.compactMap { packed[$0] } }
  }
}

/// Compares the checksums of stretches whose bytes come one after the other.
private struct StretchCheck {
  let path: FilePath
  let stretches: [ContainedStretch]
  private var index = 0
  private var position = 0
  private var checksum = Checksum()

  init(path: FilePath, stretches: [ContainedStretch]) {
    self.path = path
    self.stretches = stretches
  }

  /// Takes the next bytes, of one stretch.
  mutating func add(_ bytes: [UInt8]) throws(ConversionError) {
    let stretch = stretches[index]
    if let (end, value) = stretch.checksum, position < end {
      let count = min(bytes.count, end - position)
      let span = bytes.rawSpan
      checksum.update(span.extracting(0..<count))
      if position + count == end, checksum.value() != value {
        throw .damagedContainer(
          container: path.string,
          damage:
            "the bytes from \(stretch.byteRange.lowerBound) to \(end) do not have their checksum")
      }
    }
    position += bytes.count
    if position == stretch.byteRange.upperBound {
      index += 1
      checksum = Checksum()
    }
  }
}
