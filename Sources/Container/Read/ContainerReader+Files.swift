import Bytes

/// A file that the container carries as it is.
public struct ContainedFile: Sendable, Hashable {
  public let name: String
  public let extentIndex: Int
  /// Where it lies in the container.
  public let byteRange: Range<Int>
}

/// A weight file of the source.
public struct ContainedSource: Sendable, Hashable {
  public let name: String
  public let byteCount: Int
  public let headerByteCount: Int
  /// XXH3-64 of its header.
  public let headerChecksum: UInt64
  /// XXH3-64 over the checksums of its tensors, nil where it was not computed.
  public let contentChecksum: UInt64?
}

extension ContainerReader {
  /// The files, sorted by name. Each name is one component of a path: a folder that the files are
  /// written to holds them all.
  public func files() throws(ContainerError) -> [ContainedFile] {
    var files: [ContainedFile] = []
    for index in 0..<count(.files) {
      guard let offset = recordOffset(.files, index) else { break }
      let extentIndex = Int(try load(offset + 8, UInt32.self))
      guard extentIndex < extentCount else { throw damage(offset + 8, .outside(field: "extent")) }
      let extent = try extent(at: extentIndex)
      guard extent.kind == .files else { throw damage(offset + 8, .contradiction(field: "extent")) }
      try expectZeros(offset + 12..<offset + 16)
      let range = try loadRange(offset + 16, "file")
      guard range.lowerBound >= extent.byteRange.lowerBound,
        range.upperBound <= extent.byteRange.lowerBound + extent.usedByteCount,
        range.lowerBound % ContainerFormat.innerAlignment == 0
      else { throw damage(offset + 16, .outside(field: "file")) }
      let name = try loadString(offset, "name")
      guard name.isFileName else { throw damage(offset, .malformed(what: "file name")) }
      files.append(ContainedFile(name: name, extentIndex: extentIndex, byteRange: range))
    }
    return files
  }

  /// The bytes of a file, read rather than mapped.
  public func contents(of file: ContainedFile) throws(ContainerError) -> [UInt8] {
    do throws(BytesError) {
      return try self.file.bytes(in: file.byteRange)
    } catch {
      throw .file(error)
    }
  }

  /// The source's weight files, sorted by name.
  public func sources() throws(ContainerError) -> [ContainedSource] {
    var sources: [ContainedSource] = []
    for index in 0..<count(.sources) {
      guard let offset = recordOffset(.sources, index) else { break }
      let flags = try load(offset + 40, UInt32.self)
      guard flags <= 1 else {
        throw damage(offset + 40, .unknownValue(field: "flags", value: UInt64(flags)))
      }
      if flags == 0 { try expectZeros(offset + 32..<offset + 40) }
      try expectZeros(offset + 44..<offset + 48)
      sources.append(
        ContainedSource(
          name: try loadString(offset, "name"), byteCount: try loadInt(offset + 8, "byte count"),
          headerByteCount: try loadInt(offset + 16, "header byte count"),
          headerChecksum: try load(offset + 24, UInt64.self),
          contentChecksum: flags == 0 ? nil : try load(offset + 32, UInt64.self)))
    }
    return sources
  }

  /// The measured error of a tensor, nil where it has none.
  /// - Complexity: O(log tensorCount)
  public func errorRecord(ofTensor tensor: Int) throws(ContainerError) -> ErrorRecord? {
    let start = header.section(.errors).byteRange.lowerBound
    let byteCount = SectionKind.errors.recordByteCount
    let index = try lowerBound(count(.errors)) { index throws(ContainerError) in
      Int(try load(start + index * byteCount, UInt32.self)) < tensor
    }
    guard let offset = recordOffset(.errors, index),
      Int(try load(offset, UInt32.self)) == tensor
    else { return nil }
    try expectZeros(offset + 4..<offset + 8)
    try expectZeros(offset + 56..<offset + 64)
    func double(_ place: Int) throws(ContainerError) -> Double {
      Double(bitPattern: try load(offset + place, UInt64.self))
    }
    return ErrorRecord(
      relativeError: try double(8), signalToQuantizationNoise: try double(16),
      maximumAbsoluteError: try double(24), zeroedShare: try double(32),
      clippedShare: try double(40), nonFiniteCount: try load(offset + 48, UInt64.self))
  }
}
