import Bytes
import Synchronization

/// Checks all that a container says about itself.
public enum ContainerVerifier {
  /// Checks the structure, every checksum, that reserved and filling bytes are zero, and looks for
  /// NaN, infinities and zero scales. Reads the whole file once, with `pread`.
  ///
  /// - Parameters:
  ///   - threads: how many extents are read at a time.
  ///   - progress: is told how many bytes of how many are done, by any thread; what it throws ends
  ///     the reading.
  /// - Returns: what was found, in no more than one finding per extent, section, tensor and check;
  ///   nothing but notes for a sound file.
  /// - Throws: `file` if reading fails. Damage is a finding, not an error.
  public static func verify(
    _ reader: ContainerReader, threads: Int = 1,
    progress: @escaping @Sendable (_ done: Int, _ byteCount: Int) throws -> Void = { _, _ in }
  ) throws -> [ContainerFinding] {
    var findings: [ContainerFinding] = []
    try IndexCheck(reader: reader).run(&findings)
    var structure = StructureCheck(reader: reader)
    try structure.run(&findings)
    let (extents, contents) = (structure.extents, structure.contents)
    let allowsNonFinite = structure.allowsNonFinite
    let idleScans = Mutex<[ExtentScan]>([])
    let found = Mutex([[ContainerFinding]](repeating: [], count: extents.count))
    let done = Atomic(extents.first?.byteRange.lowerBound ?? 0)
    try WorkerPool.forEach(count: extents.count, threads: threads) { index in
      var scan =
        idleScans.withLock { $0.popLast() }
        ?? ExtentScan(reader: reader, contents: contents, allowsNonFinite: allowsNonFinite)
      var findings: [ContainerFinding] = []
      try scan.run(extents[index], &findings) { byteCount in
        try progress(done.wrappingAdd(byteCount, ordering: .relaxed).newValue, reader.byteCount)
      }
      found.withLock { $0[index] = findings }
      idleScans.withLock { $0.append(scan) }
    }
    return findings + found.withLock { $0.joined() }
  }

  /// Runs a check; damage that it throws becomes a finding, an error of reading goes on.
  static func collect(
    _ findings: inout [ContainerFinding], _ check: () throws(ContainerError) -> Void
  ) throws(ContainerError) {
    do throws(ContainerError) {
      try check()
    } catch .damaged(_, let byteOffset, let damage) {
      findings.append(.damage(byteOffset: byteOffset, damage))
    } catch {
      throw error
    }
  }
}

/// Checks the bytes of the header and of the sections: checksums, and zeros between them.
struct IndexCheck {
  let reader: ContainerReader

  func run(_ findings: inout [ContainerFinding]) throws(ContainerError) {
    // The header as it is now; opening may be long ago.
    try ContainerVerifier.collect(&findings) { () throws(ContainerError) in
      let page = try read(0..<ContainerFormat.headerByteCount)
      _ = try Header(page: page, byteCount: reader.byteCount, path: reader.path)
    }
    var end = ContainerFormat.headerByteCount
    for section in reader.header.sections {
      try ContainerVerifier.collect(&findings) { () throws(ContainerError) in
        try checkZeros(end..<section.byteRange.lowerBound)
      }
      end = section.byteRange.upperBound
      try ContainerVerifier.collect(&findings) { () throws(ContainerError) in
        try check(section)
      }
    }
    let start = min(end.roundedUp(toMultipleOf: ContainerFormat.alignment), reader.byteCount)
    try ContainerVerifier.collect(&findings) { () throws(ContainerError) in
      try checkZeros(end..<start)
    }
  }

  private func check(_ section: Section) throws(ContainerError) {
    var checksum = Checksum()
    var start = section.byteRange.lowerBound
    while start < section.byteRange.upperBound {
      let bytes = try read(
        start..<min(start + ExtentScan.pieceByteCount, section.byteRange.upperBound))
      checksum.update(bytes.rawSpan)
      start += bytes.count
    }
    if checksum.value() != section.checksum {
      let name = SectionKind(rawValue: section.kind).map { "\($0)" } ?? "\(section.kind)"
      throw reader.damage(section.byteRange.lowerBound, .sectionChecksum(section: name))
    }
  }

  private func checkZeros(_ range: Range<Int>) throws(ContainerError) {
    let bytes = try read(range)
    if let place = bytes.firstIndex(where: { $0 != 0 }) {
      throw reader.damage(range.lowerBound + place, .notZero)
    }
  }

  private func read(_ range: Range<Int>) throws(ContainerError) -> [UInt8] {
    do throws(BytesError) {
      return try reader.file.bytes(in: range)
    } catch {
      throw .file(error)
    }
  }
}
