internal import CZstd

/// Contents packed as one frame of zstd.
public struct PackedFrame: Sendable {
  public let bytes: [UInt8]
  let contentByteCount: UInt32
  let checksum: UInt32

  /// zstd's levels that may be asked for; those above 19 need windows that readers may refuse.
  public static let levels = 1...19

  /// Packs contents of at most 4 GiB. The same bytes for the same contents, level and libzstd.
  /// - Throws: `cannotPack` if libzstd fails, as without memory.
  public init(_ content: RawSpan, level: Int) throws(BytesError) {
    // A context of its own: what one has packed before may show in what it packs next.
    let context = unsafe ZSTD_createCCtx()
    defer { _ = unsafe ZSTD_freeCCtx(context) }
    _ = unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
    _ = unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    guard let byteCount = UInt32(exactly: content.byteCount) else {
      throw .cannotPack(reason: "a frame holds at most 4 GiB")
    }
    let capacity = ZSTD_compressBound(content.byteCount)
    var result = 0
    bytes = unsafe content.withUnsafeBytes { source in
      unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
        result = unsafe ZSTD_compress2(
          context, buffer.baseAddress, capacity, source.baseAddress, source.count)
        count = ZSTD_isError(result) == 0 ? result : 0
      }
    }
    guard ZSTD_isError(result) == 0, bytes.count >= 4 else {
      throw .cannotPack(reason: unsafe String(cString: ZSTD_getErrorName(result)))
    }
    contentByteCount = byteCount
    // A frame ends with the low half of the XXH64 of its contents, as the seek table wants it.
    checksum = bytes.littleEndian(at: bytes.count - 4) ?? 0
  }
}

/// Writes an archive in zstd's seekable format: frames in their order, then the seek table.
public struct ArchiveWriter: ~Copyable {
  /// What an archive begins with: its first frame.
  package static let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]

  private let file: AtomicFile
  private var table = SeekTable()

  /// - Parameter file: the file to write, from its start.
  public init(file: AtomicFile) { self.file = file }

  /// The number of frames so far.
  public var frameCount: Int { table.frameCount }

  public mutating func append(_ frame: PackedFrame) throws(BytesError) {
    let byteOffset = table.packedByteCount
    guard
      table.append(
        packedByteCount: UInt32(frame.bytes.count), contentByteCount: frame.contentByteCount,
        checksum: frame.checksum)
    else { throw .cannotPack(reason: "more than \(SeekTable.maximumFrameCount) frames") }
    try file.write(frame.bytes.rawSpan, at: byteOffset)
  }

  /// Writes the seek table.
  /// - Returns: the size of the archive.
  public consuming func finish() throws(BytesError) -> Int {
    let bytes = table.bytes()
    try file.write(bytes.rawSpan, at: table.packedByteCount)
    return table.packedByteCount + bytes.count
  }
}
