import Bytes
import Crypto
import SystemPackage

/// Writes one extent from its first byte to its last, and computes its checksum on the way.
public final class ExtentWriter {
  /// The index of the extent in the plan.
  public let index: Int
  /// The number of bytes written so far.
  public private(set) var byteCount = 0
  private let range: Range<Int>
  private let usedByteCount: Int
  /// The name of the container.
  private let path: FilePath
  private let pieces: PieceWriter
  private let isFinished: (ExtentSums) -> Void
  /// What is collected before it is written: whole pages, since extents are made of such.
  private var buffer: PageBuffer?
  private var flushedByteCount = 0
  private var checksum = Checksum()
  private var digest: SHA256?

  init(
    index: Int, range: Range<Int>, usedByteCount: Int, hasDigest: Bool, path: FilePath,
    pieces: PieceWriter, isFinished: @escaping (ExtentSums) -> Void
  ) {
    self.index = index
    self.range = range
    self.usedByteCount = usedByteCount
    self.path = path
    self.pieces = pieces
    self.isFinished = isFinished
    digest = hasDigest ? SHA256() : nil
  }

  /// Appends bytes.
  /// - Throws: `wrongExtentByteCount` if they do not fit; `file` if writing fails.
  public func append(_ bytes: RawSpan) throws(ContainerError) {
    let (end, overflow) = byteCount.addingReportingOverflow(bytes.byteCount)
    guard !overflow, end <= usedByteCount else {
      throw .wrongExtentByteCount(
        path: path, extent: index, planned: usedByteCount, written: overflow ? .max : end)
    }
    byteCount = end
    try collect(bytes)
  }

  /// Appends bytes.
  public func append(_ bytes: [UInt8]) throws(ContainerError) {
    try append(bytes.rawSpan)
  }

  /// Appends zeros up to a multiple of `alignment`, counted from the start of the extent.
  public func pad(toMultipleOf alignment: Int) throws(ContainerError) {
    try pad(toByteOffset: byteCount.roundedUp(toMultipleOf: alignment))
  }

  /// Appends zeros up to an offset, counted from the start of the extent.
  public func pad(toByteOffset byteOffset: Int) throws(ContainerError) {
    guard byteOffset >= byteCount else {
      throw .wrongExtentByteCount(
        path: path, extent: index, planned: byteOffset, written: byteCount)
    }
    try append([UInt8](repeating: 0, count: byteOffset - byteCount))
  }

  /// Ends the extent: fills it with zeros and reports its checksum to the container.
  /// - Throws: `wrongExtentByteCount` unless exactly the planned bytes were appended.
  public func finish() throws(ContainerError) {
    guard byteCount == usedByteCount else {
      throw .wrongExtentByteCount(
        path: path, extent: index, planned: usedByteCount, written: byteCount)
    }
    try collect([UInt8](repeating: 0, count: range.count - usedByteCount).rawSpan)
    try flush()
    isFinished(ExtentSums(checksum: checksum.value(), digest: digest.map { Array($0.finalize()) }))
  }

  private func collect(_ bytes: RawSpan) throws(ContainerError) {
    // While they are in the processor's cache.
    checksum.update(bytes)
    unsafe bytes.withUnsafeBytes { unsafe digest?.update(bufferPointer: $0) }
    var done = 0
    while done < bytes.byteCount {
      let buffer = buffer ?? pieces.buffer()
      self.buffer = buffer
      done += buffer.append(bytes.extracting(droppingFirst: done))
      if buffer.isFull { try flush() }
    }
  }

  private func flush() throws(ContainerError) {
    guard let buffer else { return }
    self.buffer = nil
    // Before it is handed over, and another thread's.
    let byteOffset = range.lowerBound + flushedByteCount
    flushedByteCount += buffer.byteCount
    try pieces.write(buffer, at: byteOffset)
  }
}
