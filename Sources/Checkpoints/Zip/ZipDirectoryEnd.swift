import Bytes
import SystemPackage

/// The end of a zip archive, which tells where its directory is.
struct ZipDirectoryEnd {
  let directoryRange: Range<Int>
  let entryCount: UInt64

  init(source: ByteSource) throws(CheckpointsError) {
    func problem(_ byteOffset: Int, _ problem: ZipProblem) -> CheckpointsError {
      .zip(file: source.path, byteOffset: byteOffset, problem)
    }
    // The end has 22 bytes and a comment of at most 65,535.
    let tailOffset = max(0, source.byteCount - 22 - 0xFFFF)
    let tail = try source.read(tailOffset..<source.byteCount)
    guard
      let place = stride(from: tail.count - 22, through: 0, by: -1).first(where: {
        tail.littleEndian(at: $0, as: UInt32.self) == 0x0605_4B50
          && tail.littleEndian(at: $0 + 20, as: UInt16.self).map(Int.init) == tail.count - $0 - 22
      })
    else { throw problem(source.byteCount, .noDirectory) }
    func short(_ offset: Int) -> UInt64 {
      UInt64(tail.littleEndian(at: place + offset, as: UInt16.self) ?? 0)
    }
    func word(_ offset: Int) -> UInt64 {
      UInt64(tail.littleEndian(at: place + offset, as: UInt32.self) ?? 0)
    }
    let endOffset = tailOffset + place
    guard short(4) == 0, short(6) == 0, short(8) == short(10) else {
      throw problem(endOffset, .severalDisks)
    }
    var (entryCount, byteCount, offset) = (short(10), word(12), word(16))
    var directoryEnd = endOffset

    if endOffset >= 20 {
      let locator = try source.read(endOffset - 20..<endOffset)
      if locator.littleEndian(at: 0, as: UInt32.self) == 0x0706_4B50 {
        guard locator.littleEndian(at: 4, as: UInt32.self) == 0,
          locator.littleEndian(at: 16, as: UInt32.self) == 1
        else { throw problem(endOffset - 20, .severalDisks) }
        guard let start = locator.littleEndian(at: 8, as: UInt64.self),
          start <= UInt64(max(0, endOffset - 20 - 56))
        else { throw problem(endOffset - 20, .contradictingEnds) }
        let long = try source.read(Int(start)..<Int(start) + 56)
        func wide(_ offset: Int) -> UInt64 { long.littleEndian(at: offset, as: UInt64.self) ?? 0 }
        guard long.littleEndian(at: 0, as: UInt32.self) == 0x0606_4B50 else {
          throw problem(Int(start), .wrongSignature(of: "64-bit end of the directory"))
        }
        guard long.littleEndian(at: 16, as: UInt64.self) == 0, wide(24) == wide(32) else {
          throw problem(Int(start), .severalDisks)
        }
        // A field that is not full must agree; what is between the ends must be their own.
        guard wide(4) == UInt64(endOffset - 20) - start - 12,
          entryCount == 0xFFFF || entryCount == wide(32),
          byteCount == 0xFFFF_FFFF || byteCount == wide(40),
          offset == 0xFFFF_FFFF || offset == wide(48)
        else { throw problem(Int(start), .contradictingEnds) }
        (entryCount, byteCount, offset) = (wide(32), wide(40), wide(48))
        directoryEnd = Int(start)
      }
    }

    let (end, overflow) = offset.addingReportingOverflow(byteCount)
    guard !overflow, end == UInt64(directoryEnd) else {
      throw problem(endOffset, .directoryOutside(byteCount: byteCount))
    }
    guard byteCount <= UInt64(ZipArchive.directoryByteLimit) else {
      throw problem(
        Int(offset),
        .directoryTooLarge(byteCount: Int(byteCount), limit: ZipArchive.directoryByteLimit))
    }
    directoryRange = Int(offset)..<Int(end)
    self.entryCount = entryCount
  }
}
