import Bytes
import SystemPackage

/// A section as the directory states it; it lies inside the file.
struct Section: Sendable {
  var kind: UInt32
  var recordByteCount: Int
  var count: Int
  var byteRange: Range<Int>
  var checksum: UInt64
}

/// The checked header of a container.
struct Header: Sendable {
  var major: Int
  var minor: Int
  var requiredFeatures: RequiredFeatures
  var features: OptionalFeatures
  var byteCount: Int
  /// All sections in the order of the file, those of an unknown kind included.
  var sections: [Section]

  /// The largest size of the metadata, so that parsing them costs little.
  static let maximumMetadataByteCount = 16 << 20

  /// Checks the first page of a file of `byteCount` bytes.
  init(page: [UInt8], byteCount actual: Int, path: FilePath) throws(ContainerError) {
    guard page.starts(with: ContainerFormat.magic) else { throw .notAContainer(path: path) }
    guard page.count == ContainerFormat.headerByteCount else {
      throw .wrongByteCount(
        path: path, stated: UInt64(ContainerFormat.headerByteCount), actual: actual)
    }
    let fields = HeaderFields(page: page, path: path)
    let major = try fields.load(8, UInt16.self)
    let minor = try fields.load(10, UInt16.self)
    guard major <= ContainerFormat.major else {
      throw .unsupportedVersion(path: path, major: Int(major), minor: Int(minor))
    }
    let checked = page[..<ContainerFormat.headerChecksumOffset]
    guard
      try fields.load(ContainerFormat.headerChecksumOffset, UInt64.self)
        == Checksum.of(Array(checked).rawSpan)
    else {
      throw .damaged(
        path: path, byteOffset: ContainerFormat.headerChecksumOffset, .headerChecksum)
    }
    guard major == ContainerFormat.major else {
      throw .damaged(path: path, byteOffset: 8, .header(field: "version"))
    }
    try fields.expect(12, UInt32(ContainerFormat.headerByteCount), "byte count of the header")
    requiredFeatures = RequiredFeatures(rawValue: try fields.load(16, UInt64.self))
    let unknown = requiredFeatures.subtracting(ContainerFormat.knownRequiredFeatures)
    guard unknown.isEmpty else {
      throw .unsupportedFeatures(path: path, bits: unknown.rawValue)
    }
    let stated = try fields.load(32, UInt64.self)
    guard stated == UInt64(actual), actual % ContainerFormat.alignment == 0 else {
      throw .wrongByteCount(path: path, stated: stated, actual: actual)
    }
    try fields.expect(40, UInt32(ContainerFormat.alignment), "alignment")

    self.major = Int(major)
    self.minor = Int(minor)
    features = OptionalFeatures(rawValue: try fields.load(24, UInt64.self))
    byteCount = actual
    sections = try fields.directory(fileByteCount: actual)
    try fields.expectZeros(48..<ContainerFormat.directoryOffset)
    let end =
      ContainerFormat.directoryOffset + sections.count * ContainerFormat.directoryEntryByteCount
    try fields.expectZeros(end..<ContainerFormat.headerChecksumOffset)
    try checkKinds(fields)
  }

  /// The known sections must all be there, each once, in order; others only in a later version.
  private func checkKinds(_ fields: HeaderFields) throws(ContainerError) {
    let wanted = SectionKind.all(features: features)
    for (index, kind) in wanted.enumerated() {
      guard index < sections.count, sections[index].kind == kind.rawValue,
        sections[index].recordByteCount == kind.recordByteCount
      else { throw fields.badSection(index) }
    }
    for index in sections.indices.dropFirst(wanted.count) {
      guard minor > ContainerFormat.minor, sections[index].kind > sections[index - 1].kind,
        sections[index].kind > SectionKind.allCases.map(\.rawValue).max() ?? 0
      else { throw fields.badSection(index) }
    }
    guard sections[0].count <= Self.maximumMetadataByteCount else { throw fields.badSection(0) }
  }

  /// The section of a kind; an empty one where the file has none.
  func section(_ kind: SectionKind) -> Section {
    sections.first { $0.kind == kind.rawValue }
      ?? Section(
        kind: kind.rawValue, recordByteCount: kind.recordByteCount, count: 0, byteRange: 0..<0,
        checksum: 0)
  }
}

/// Loads and checks fields of the first page.
private struct HeaderFields {
  let page: [UInt8]
  let path: FilePath

  func load<Value: FixedWidthInteger & BitwiseCopyable>(
    _ byteOffset: Int, _ type: Value.Type
  ) throws(ContainerError) -> Value {
    guard let value = page.littleEndian(at: byteOffset, as: type) else {
      throw .damaged(path: path, byteOffset: byteOffset, .outside(field: "header"))
    }
    return value
  }

  func expect<Value: FixedWidthInteger & BitwiseCopyable>(
    _ byteOffset: Int, _ value: Value, _ field: String
  ) throws(ContainerError) {
    guard try load(byteOffset, Value.self) == value else {
      throw .damaged(path: path, byteOffset: byteOffset, .header(field: field))
    }
  }

  func expectZeros(_ range: Range<Int>) throws(ContainerError) {
    if let byteOffset = range.first(where: { page[$0] != 0 }) {
      throw .damaged(path: path, byteOffset: byteOffset, .notZero)
    }
  }

  func badSection(_ index: Int) -> ContainerError {
    .damaged(path: path, byteOffset: entryOffset(index), .directory(section: index))
  }

  private func entryOffset(_ index: Int) -> Int {
    ContainerFormat.directoryOffset + index * ContainerFormat.directoryEntryByteCount
  }

  /// Reads the directory: sections follow each other, each at the next multiple of 64 bytes.
  func directory(fileByteCount: Int) throws(ContainerError) -> [Section] {
    let count = Int(try load(44, UInt32.self))
    guard count > 0, entryOffset(0) + count <= ContainerFormat.headerChecksumOffset,
      entryOffset(count) <= ContainerFormat.headerChecksumOffset
    else { throw .damaged(path: path, byteOffset: 44, .header(field: "section count")) }
    var sections: [Section] = []
    var end = ContainerFormat.headerByteCount
    for index in 0..<count {
      let offset = entryOffset(index)
      let start = end.roundedUp(toMultipleOf: ContainerFormat.innerAlignment)
      let recordByteCount = try load(offset + 4, UInt32.self)
      let recordCount = try load(offset + 8, UInt64.self)
      let (byteCount, overflow) = recordCount.multipliedReportingOverflow(
        by: UInt64(recordByteCount))
      guard !overflow, recordByteCount > 0, start <= fileByteCount,
        byteCount <= UInt64(fileByteCount - start),
        try load(offset + 16, UInt64.self) == UInt64(start),
        try load(offset + 24, UInt64.self) == byteCount,
        try load(offset + 40, UInt64.self) == 0
      else { throw badSection(index) }
      end = start + Int(byteCount)
      sections.append(
        Section(
          kind: try load(offset, UInt32.self), recordByteCount: Int(recordByteCount),
          count: Int(recordCount), byteRange: start..<end,
          checksum: try load(offset + 32, UInt64.self)))
    }
    return sections
  }
}
