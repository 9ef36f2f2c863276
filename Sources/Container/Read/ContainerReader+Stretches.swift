import Bytes

/// A stretch of a container that starts what is read as one: the header, a section, an extent.
/// Zeros up to the next one belong to it.
public struct ContainedStretch: Sendable {
  public let byteRange: Range<Int>
  /// XXH3-64 of the bytes up to this offset of the file; nil for the header, which was checked.
  public let checksum: (end: Int, value: UInt64)?
}

extension ContainerReader {
  /// The stretches that make the file, one after the other.
  /// - Throws: `damaged` if extents leave a gap, overlap, or do not end with the file.
  public func stretches() throws(ContainerError) -> [ContainedStretch] {
    var starts: [(byteOffset: Int, checksum: (end: Int, value: UInt64)?)] = [(0, nil)]
    for section in header.sections where !section.byteRange.isEmpty {
      starts.append(
        (section.byteRange.lowerBound, (section.byteRange.upperBound, section.checksum)))
    }
    let indexEnd = header.sections.last?.byteRange.upperBound ?? ContainerFormat.headerByteCount
    var end = indexEnd.roundedUp(toMultipleOf: ContainerFormat.alignment)
    for index in 0..<extentCount {
      let extent = try extent(at: index)
      guard extent.byteRange.lowerBound == end else {
        throw damage(end, .contradiction(field: "extent's offset"))
      }
      end = extent.byteRange.upperBound
      if !extent.byteRange.isEmpty {
        starts.append((extent.byteRange.lowerBound, (end, extent.checksum)))
      }
    }
    guard end == byteCount else { throw damage(end, .contradiction(field: "end of the extents")) }
    return starts.indices.map { index in
      let next = index + 1 < starts.count ? starts[index + 1].byteOffset : byteCount
      return ContainedStretch(
        byteRange: starts[index].byteOffset..<next, checksum: starts[index].checksum)
    }
  }
}
