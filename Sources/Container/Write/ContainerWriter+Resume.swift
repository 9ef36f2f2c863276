import Bytes
import Synchronization
public import SystemPackage

/// What an extent's bytes add up to.
public struct ExtentSums: Sendable, Hashable {
  /// XXH3-64, padding included.
  public var checksum: UInt64
  /// SHA-256, where asked for.
  public var digest: [UInt8]?

  public init(checksum: UInt64, digest: [UInt8]?) {
    self.checksum = checksum
    self.digest = digest
  }
}

extension ContainerWriter {
  /// How much of the partial file is read or cleared at once.
  private static let smallPieceByteCount = 1 << 20

  /// The name of the partial file.
  public var partialPath: FilePath { output.partialPath }

  /// Whether a former run left the partial file.
  public var isAdopted: Bool { output.isAdopted }

  /// The bytes on the disk that the partial file has already.
  public func allocatedByteCount() throws(ContainerError) -> Int {
    do throws(BytesError) {
      return try output.allocatedByteCount()
    } catch {
      throw .file(error)
    }
  }

  /// Empties an adopted partial file.
  public func startOver() throws(ContainerError) {
    do throws(BytesError) {
      try output.setByteCount(0)
      try output.setByteCount(plan.byteCount)
    } catch {
      throw .file(error)
    }
  }

  /// Prepares an adopted partial file whose extents are to be kept where they are sound.
  public func resume() throws(ContainerError) {
    do throws(BytesError) {
      try output.setByteCount(plan.byteCount)
      // The gaps between the sections of the index must be zero, whatever became of the file.
      let end = plan.extentRanges.first?.lowerBound ?? plan.byteCount
      let zeros = [UInt8](repeating: 0, count: min(end, Self.smallPieceByteCount))
      for start in stride(from: 0, to: end, by: zeros.count) {
        let count = min(zeros.count, end - start)
        try output.write(zeros.rawSpan.extracting(first: count), at: start)
      }
    } catch {
      throw .file(error)
    }
  }

  /// Whether an extent of an adopted file has this checksum. What cannot be read has none.
  /// - Parameter check: is called now and then; what it throws ends the reading.
  public func isSound(
    extent: Int, checksum: UInt64, check: () throws -> Void
  ) throws -> Bool {
    var sum = Checksum()
    let range = plan.byteRange(ofExtent: extent)
    var bytes = [UInt8](repeating: 0, count: min(range.count, Self.smallPieceByteCount))
    for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.smallPieceByteCount)
    {
      try check()
      // Only the last piece is shorter.
      bytes.removeLast(max(0, bytes.count - (range.upperBound - start)))
      var span = bytes.mutableRawSpan
      guard (try? output.read(at: start, into: &span)) != nil else { return false }
      sum.update(bytes.rawSpan)
    }
    return sum.value() == checksum
  }

  /// Counts an extent of an adopted file as written.
  public func keepExtent(_ extent: Int, sums: ExtentSums) {
    results.withLock { results in
      results.writeCounts[extent] += 1
      results.checksums[extent] = sums.checksum
      if let digest = sums.digest { results.digests[extent] = digest }
    }
  }

  /// What an extent that is finished adds up to.
  public func sums(ofExtent extent: Int) -> ExtentSums {
    results.withLock { results in
      ExtentSums(
        checksum: results.checksums[extent],
        digest: plan.features.contains(.digests) ? results.digests[extent] : nil)
    }
  }

  /// Leaves the partial file for a later run to adopt.
  public func keep() {
    try? finishWriting()
    output.keep()
  }
}
