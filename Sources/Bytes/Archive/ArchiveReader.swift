public import SystemPackage
internal import Synchronization

/// Reads what an archive in zstd's seekable format holds, at given offsets.
///
/// A reading unpacks the frames that it touches, each from its start; one that goes on where
/// another ended continues there, so that reading in sequence unpacks every frame once. A frame
/// that is read to its end is compared with its checksum. The seek table may have checksums or not,
/// and whoever made the archive may have chosen the frames.
public final class ArchiveReader: ByteSource {
  /// How many decoders wait in the middle of a frame: more than a pass reads planes at once.
  private static let maximumIdleCount = 16

  /// The archive.
  public let file: File
  public let table: SeekTable
  private let idle = Mutex<[FrameDecoder]>([])

  /// Whether a file starts as an archive does, or as anything else that zstd made.
  public static func isArchive(_ file: File) throws(BytesError) -> Bool {
    guard file.byteCount >= 4 else { return false }
    let magic = try file.bytes(in: 0..<4).littleEndian(at: 0, as: UInt32.self) ?? 0
    return magic == FrameWalk.magic || magic & ~0xF == FrameWalk.skippableMagic
  }

  /// Reads the seek table.
  /// - Throws: `archive` if there is none, or a wrong one; `readFailed`.
  public init(file: File) throws(BytesError) {
    self.file = file
    table = try SeekTable(of: file)
  }

  public var path: FilePath { file.path }
  /// The size of the unpacked file, as the seek table says.
  public var byteCount: Int { table.contentByteCount }

  public func read(at byteOffset: Int, into bytes: inout MutableRawSpan) throws(BytesError) {
    let wanted = bytes.byteCount
    guard byteOffset >= 0, wanted <= byteCount, byteOffset <= byteCount - wanted else {
      throw .truncated(path: path, byteOffset: byteOffset, wanted: wanted, byteCount: byteCount)
    }
    try unsafe bytes.withUnsafeMutableBytes { output throws(BytesError) in
      var done = 0
      while done < wanted {
        let frame = table.frame(holding: byteOffset + done)
        let count = min(wanted - done, frame.contentRange.upperBound - byteOffset - done)
        let decoder = takeDecoder(of: frame, before: byteOffset + done)
        try decoder.skip(to: byteOffset + done)
        try unsafe decoder.decode(
          into: UnsafeMutableRawBufferPointer(rebasing: output[done..<done + count]))
        idle.withLock { $0.append(decoder) }
        done += count
      }
    }
  }

  /// The decoder that is nearest before a byte of a frame, or one that starts there.
  private func takeDecoder(of frame: SeekTable.Frame, before byteOffset: Int) -> FrameDecoder {
    let (decoder, isThere): (FrameDecoder?, Bool) = idle.withLock { idle in
      var nearest: Int?
      for (index, decoder) in idle.enumerated()
      where decoder.frame == frame && decoder.position <= byteOffset {
        if nearest.map({ idle[$0].position < decoder.position }) ?? true { nearest = index }
      }
      if let nearest { return (idle.remove(at: nearest), true) }
      if let done = idle.firstIndex(where: \.isAtEnd) { return (idle.remove(at: done), false) }
      return (idle.count < Self.maximumIdleCount ? nil : idle.removeFirst(), false)
    }
    guard let decoder else { return FrameDecoder(file: file, frame: frame) }
    if !isThere { decoder.start(frame) }
    return decoder
  }
}
