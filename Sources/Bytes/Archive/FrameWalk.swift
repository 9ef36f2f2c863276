/// Goes through the frames of a file without a seek table by the sizes that their blocks state
/// (RFC 8878, section 3.1), to tell a cut archive from what plain zstd made.
struct FrameWalk {
  static let magic: UInt32 = 0xFD2F_B528
  /// The lowest four bits of a skippable frame's magic are free.
  static let skippableMagic: UInt32 = 0x184D_2A50

  let file: File

  /// What is wrong with a file that does not end with a seek table.
  func damageWithoutTable() throws(BytesError) -> ArchiveDamage {
    var number = 0
    var start = 0
    while start < file.byteCount {
      switch try end(ofFrameAt: start) {
      case .success(let end): start = end
      case .failure(let fault): return .frame(number: number, byteOffset: start, fault)
      }
      number += 1
    }
    return .noSeekTable(frameCount: number)
  }

  private func end(
    ofFrameAt start: Int
  ) throws(BytesError) -> Result<Int, ArchiveDamage.Fault> {
    guard let magic = try load(start, byteCount: 4) else { return .failure(.cutOff) }
    var end = start
    if magic & ~0xF == Self.skippableMagic {
      guard let byteCount = try load(start + 4, byteCount: 4) else { return .failure(.cutOff) }
      end = start + 8 + Int(byteCount)
    } else {
      guard magic == Self.magic else { return .failure(.refused(reason: "no zstd frame")) }
      guard let descriptor = try load(start + 4, byteCount: 1) else { return .failure(.cutOff) }
      let isSingleSegment = descriptor & 0x20 != 0
      let sizeByteCount = [isSingleSegment ? 1 : 0, 2, 4, 8][Int(descriptor >> 6)]
      let dictionaryByteCount = [0, 1, 2, 4][Int(descriptor & 3)]
      end += 5 + (isSingleSegment ? 0 : 1) + dictionaryByteCount + sizeByteCount
      var isLast = false
      while !isLast {
        guard let block = try load(end, byteCount: 3) else { return .failure(.cutOff) }
        isLast = block & 1 != 0
        // A block of type 1 is one byte, repeated; type 3 is reserved.
        let type = block >> 1 & 3
        if type == 3 { return .failure(.refused(reason: "a block of an unknown type")) }
        end += 3 + (type == 1 ? 1 : Int(block >> 3))
      }
      if descriptor & 4 != 0 { end += 4 }
    }
    return end <= file.byteCount ? .success(end) : .failure(.cutOff)
  }

  /// Up to four bytes as a little-endian number; nil if the file ends before.
  private func load(_ byteOffset: Int, byteCount: Int) throws(BytesError) -> UInt32? {
    guard byteOffset + byteCount <= file.byteCount else { return nil }
    return try file.bytes(in: byteOffset..<byteOffset + byteCount).reversed().reduce(0) {
      $0 << 8 | UInt32($1)
    }
  }
}
