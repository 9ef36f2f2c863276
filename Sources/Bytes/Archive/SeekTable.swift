/// The frames of an archive, as the table at its end lists them.
///
/// zstd's seekable format (facebook/zstd, contrib/seekable_format): independent frames, then a
/// skippable frame that holds an entry per frame (packed size, size of the contents, and the low
/// half of their XXH64 where bit 7 of the descriptor is set) and a footer of 9 bytes.
public struct SeekTable: Sendable, Equatable {
  /// A frame and what it holds.
  public struct Frame: Sendable, Hashable {
    public let number: Int
    /// Where it lies in the archive.
    public let packedRange: Range<Int>
    /// Where its contents lie in the unpacked file.
    public let contentRange: Range<Int>
    /// The low half of the XXH64 of its contents, nil where the table has none.
    public let checksum: UInt32?
  }

  /// The most frames that are read or written: 4 TiB in frames of 1 MiB, 80 MiB of table.
  public static let maximumFrameCount = 1 << 22
  static let headerByteCount = 8
  static let footerByteCount = 9
  static let skippableMagic: UInt32 = 0x184D_2A5E
  static let footerMagic: UInt32 = 0x8F92_EAB1

  // Ends rather than frames: a table may have millions of entries.
  private var packedEnds: [Int] = []
  private var contentEnds: [Int] = []
  private var checksums: [UInt32] = []
  private var hasChecksums = true

  public init() {}

  public var frameCount: Int { packedEnds.count }
  /// The size of all frames.
  public var packedByteCount: Int { packedEnds.last ?? 0 }
  /// The size of the unpacked file.
  public var contentByteCount: Int { contentEnds.last ?? 0 }

  /// - Precondition: there is a frame of this number.
  public func frame(_ number: Int) -> Frame {
    Frame(
      number: number,
      packedRange: (number == 0 ? 0 : packedEnds[number - 1])..<packedEnds[number],
      contentRange: (number == 0 ? 0 : contentEnds[number - 1])..<contentEnds[number],
      checksum: hasChecksums ? checksums[number] : nil)
  }

  /// The frame that holds a byte of the contents.
  /// - Precondition: the byte lies inside of them.
  public func frame(holding byteOffset: Int) -> Frame {
    var low = 0
    var high = frameCount
    while low < high {
      let middle = low + (high - low) / 2
      if contentEnds[middle] <= byteOffset { low = middle + 1 } else { high = middle }
    }
    return frame(low)
  }

  /// Appends a frame.
  /// - Returns: false, and nothing appended, if the table is full.
  mutating func append(packedByteCount: UInt32, contentByteCount: UInt32, checksum: UInt32) -> Bool
  {
    guard frameCount < Self.maximumFrameCount else { return false }
    // Both sums stay below 2^54.
    packedEnds.append(self.packedByteCount + Int(packedByteCount))
    contentEnds.append(self.contentByteCount + Int(contentByteCount))
    checksums.append(checksum)
    return true
  }
}

extension SeekTable {
  /// The skippable frame that ends an archive.
  func bytes() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(Self.skippableMagic)
    bytes.appendLittleEndian(UInt32(frameCount * 12 + Self.footerByteCount))
    for number in 0..<frameCount {
      let frame = frame(number)
      bytes.appendLittleEndian(UInt32(frame.packedRange.count))
      bytes.appendLittleEndian(UInt32(frame.contentRange.count))
      bytes.appendLittleEndian(checksums[number])
    }
    bytes.appendLittleEndian(UInt32(frameCount))
    bytes.append(0x80)
    bytes.appendLittleEndian(Self.footerMagic)
    return bytes
  }

  /// Reads the table of an archive; its frames follow each other from byte 0 up to the table.
  /// - Throws: `BytesError.archive`, for a missing table too; `readFailed`.
  init(of file: File) throws(BytesError) {
    func wrong(_ reason: String) -> BytesError {
      .archive(path: file.path, .seekTable(reason: reason))
    }
    let footer = try file.bytes(in: max(0, file.byteCount - Self.footerByteCount)..<file.byteCount)
    guard footer.littleEndian(at: 5, as: UInt32.self) == Self.footerMagic,
      let count = footer.littleEndian(at: 0, as: UInt32.self).map(Int.init)
    else {
      throw .archive(path: file.path, try FrameWalk(file: file).damageWithoutTable())
    }
    guard count <= Self.maximumFrameCount else {
      throw wrong("\(count) frames, of at most \(Self.maximumFrameCount)")
    }
    guard footer[4] & 0x7C == 0 else { throw wrong("reserved bits are set") }
    hasChecksums = footer[4] & 0x80 != 0
    let entryByteCount = hasChecksums ? 12 : 8
    let tableByteCount = Self.headerByteCount + count * entryByteCount + Self.footerByteCount
    let start = file.byteCount - tableByteCount
    guard start >= 0 else { throw wrong("\(count) frames do not fit into the file") }
    let table = try file.bytes(in: start..<file.byteCount)
    guard table.littleEndian(at: 0, as: UInt32.self) == Self.skippableMagic,
      table.littleEndian(at: 4, as: UInt32.self) == UInt32(tableByteCount - Self.headerByteCount)
    else { throw wrong("it does not start where its \(count) frames say") }
    for offset in stride(
      from: Self.headerByteCount, to: tableByteCount - Self.footerByteCount, by: entryByteCount)
    {
      _ = append(
        packedByteCount: table.littleEndian(at: offset) ?? 0,
        contentByteCount: table.littleEndian(at: offset + 4) ?? 0,
        checksum: hasChecksums ? table.littleEndian(at: offset + 8) ?? 0 : 0)
    }
    guard packedByteCount == start else {
      throw wrong("its frames have \(packedByteCount) bytes, the file has \(start) before it")
    }
  }
}
