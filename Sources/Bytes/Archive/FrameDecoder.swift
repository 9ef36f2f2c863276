internal import CKernels
internal import CZstd

/// Unpacks one frame after the other, each from its start on, in pieces of any size.
///
/// It holds at most the window of a frame, which is bounded, and 128 KiB of packed bytes.
@safe
final class FrameDecoder: @unchecked Sendable {
  // Unchecked: one thread at a time has it.

  /// Frames that look back further are refused: 8 MiB is what RFC 8878 asks of every decoder, and
  /// what zstd's levels up to 19 stay below.
  private static let maximumWindowLogarithm: Int32 = 23
  private static let pieceByteCount = 128 << 10

  private let file: File
  private let context: OpaquePointer?
  private var input = [UInt8](repeating: 0, count: pieceByteCount)
  private var inputRange = 0..<0
  private var packedPosition = 0
  private var checksum = ck_xxh64_state()
  private(set) var frame: SeekTable.Frame
  /// The next byte of the contents.
  private(set) var position: Int

  init(file: File, frame: SeekTable.Frame) {
    self.file = file
    self.frame = frame
    position = frame.contentRange.lowerBound
    unsafe context = ZSTD_createDCtx()
    _ = unsafe ZSTD_DCtx_setParameter(
      context, ZSTD_d_windowLogMax, Self.maximumWindowLogarithm)
    start(frame)
  }

  deinit { _ = unsafe ZSTD_freeDCtx(context) }

  /// Whether all of the frame was unpacked and checked.
  var isAtEnd: Bool { position == frame.contentRange.upperBound }

  /// Goes to the start of a frame.
  func start(_ frame: SeekTable.Frame) {
    self.frame = frame
    position = frame.contentRange.lowerBound
    packedPosition = frame.packedRange.lowerBound
    inputRange = 0..<0
    unsafe ck_xxh64_init(&checksum)
    _ = unsafe ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
  }

  /// Unpacks what lies before a byte of the contents, which must not be behind.
  func skip(to byteOffset: Int) throws(BytesError) {
    var bytes = [UInt8](
      repeating: 0, count: min(Self.pieceByteCount, max(0, byteOffset - position)))
    while position < byteOffset {
      let count = min(bytes.count, byteOffset - position)
      var skipped = bytes.mutableRawSpan
      try unsafe skipped.withUnsafeMutableBytes { buffer throws(BytesError) in
        try unsafe decode(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
      }
    }
  }

  /// Fills `output` with the next bytes; at the end of the frame its checksum is compared.
  /// - Precondition: the frame has as many left.
  func decode(into output: UnsafeMutableRawBufferPointer) throws(BytesError) {
    var done = 0
    var hasEnded = false
    while done < output.count {
      guard !hasEnded else { throw wrongByteCount }
      (done, hasEnded) = try unsafe step(output, from: done)
    }
    unsafe ck_xxh64_update(
      &checksum, output.baseAddress?.assumingMemoryBound(to: UInt8.self), output.count)
    position += output.count
    guard isAtEnd else {
      if hasEnded { throw wrongByteCount }
      return
    }
    // What is left is the end of the last block, and a checksum: no byte more.
    var surplus: UInt8 = 0
    while !hasEnded {
      var count = 0
      (count, hasEnded) = try unsafe withUnsafeMutableBytes(of: &surplus) {
        buffer throws(BytesError) in try unsafe step(buffer, from: 0)
      }
      guard count == 0 else { throw wrongByteCount }
    }
    guard packedPosition - inputRange.count == frame.packedRange.upperBound else {
      throw wrongByteCount
    }
    if let wanted = frame.checksum {
      let value = unsafe withUnsafePointer(to: checksum) { unsafe ck_xxh64_value($0) }
      guard UInt32(truncatingIfNeeded: value) == wanted else { throw damage(.checksum) }
    }
  }

  /// Lets libzstd go on once, with more of the frame where it has used what it had.
  /// - Returns: how far `output` is filled, and whether the frame ended.
  private func step(
    _ output: UnsafeMutableRawBufferPointer, from start: Int
  ) throws(BytesError) -> (filled: Int, hasEnded: Bool) {
    if inputRange.isEmpty { try readMore() }
    let available = inputRange
    var target = unsafe ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: start)
    let (result, used) = unsafe input.withUnsafeBytes { buffer in
      var source = unsafe ZSTD_inBuffer(
        src: buffer.baseAddress, size: available.upperBound, pos: available.lowerBound)
      let result = unsafe ZSTD_decompressStream(context, &target, &source)
      return unsafe (result, source.pos)
    }
    if ZSTD_isError(result) != 0 {
      throw damage(.refused(reason: unsafe String(cString: ZSTD_getErrorName(result))))
    }
    let isStuck = unsafe used == available.lowerBound && target.pos == start
    inputRange = used..<available.upperBound
    // Nothing came of nothing: the packed bytes of the frame are at their end.
    if isStuck, result != 0, inputRange.isEmpty { throw wrongByteCount }
    return unsafe (target.pos, result == 0)
  }

  /// Reads the next packed bytes of the frame, if it has more.
  private func readMore() throws(BytesError) {
    let count = min(Self.pieceByteCount, frame.packedRange.upperBound - packedPosition)
    // A class's array cannot lend a span for writing: it is taken out meanwhile.
    var piece = input
    input = []
    if count > 0 {
      var bytes = piece.mutableRawSpan
      var start = bytes.slice(0..<count)
      try file.read(at: packedPosition, into: &start)
    }
    input = piece
    packedPosition += count
    inputRange = 0..<count
  }

  private var wrongByteCount: BytesError {
    damage(.wrongByteCount(stated: frame.contentRange.count))
  }

  private func damage(_ fault: ArchiveDamage.Fault) -> BytesError {
    .archive(
      path: file.path,
      .frame(number: frame.number, byteOffset: frame.packedRange.lowerBound, fault))
  }
}
