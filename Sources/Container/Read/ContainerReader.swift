public import Bytes
public import SystemPackage

/// Reads a container: a file through a mapping, or a packed one (zstd's seekable format) frame by
/// frame with its index in memory.
///
/// Opening checks the header only; a record is checked when it is used, so opening a file of any
/// size and looking up an expert costs a few page faults. Checksums are what
/// `ContainerVerifier` checks. A file that is cut while it is mapped ends the process with SIGBUS;
/// the file as it was opened never leads outside of the mapping.
public final class ContainerReader: Sendable {
  /// The container's bytes, read where a failing disk must be an error rather than a signal.
  public let file: any ByteSource
  /// The archive that holds the container, nil for a container as it is.
  public let archive: ArchiveReader?
  private let memory: ContainerMemory
  let header: Header

  /// Opens a container, or an archive that holds one.
  /// - Throws: `notAContainer`, `unsupportedVersion`, `unsupportedFeatures`, `wrongByteCount`,
  ///   `damaged` for a wrong header, `indexTooLarge`, `file`.
  public init(path: FilePath) throws(ContainerError) {
    let page: [UInt8]
    do throws(BytesError) {
      let file = try File(path: path)
      archive = try ArchiveReader.isArchive(file) ? ArchiveReader(file: file) : nil
      self.file = archive ?? file
      page = try self.file.bytes(in: 0..<min(self.file.byteCount, ContainerFormat.headerByteCount))
    } catch {
      throw .file(error)
    }
    header = try Self.header(page, of: file)
    memory = try ContainerMemory(of: file, isPacked: archive != nil, header: header)
  }

  private static func header(
    _ page: [UInt8], of file: any ByteSource
  ) throws(ContainerError) -> Header {
    do throws(ContainerError) {
      return try Header(page: page, byteCount: file.byteCount, path: file.path)
    } catch .wrongByteCount(let path, let stated, let actual) where file is ArchiveReader {
      // How much an archive holds is what its seek table says.
      let reason = "its frames hold \(actual) bytes, the .kelter file in them has \(stated)"
      throw .file(.archive(path: path, .seekTable(reason: reason)))
    } catch {
      throw error
    }
  }

  public var path: FilePath { file.path }
  /// The size of the file.
  public var byteCount: Int { header.byteCount }
  /// The version of the format.
  public var version: (major: Int, minor: Int) { (header.major, header.minor) }
  public var features: OptionalFeatures { header.features }
  public var requiredFeatures: RequiredFeatures { header.requiredFeatures }

  /// The bytes of a range of the file.
  /// - Throws: `rangeOutsideFile`; `packed` for what lies behind the index of a packed container.
  @_lifetime(borrow self)
  public func bytes(in range: Range<Int>) throws(ContainerError) -> RawSpan {
    guard range.lowerBound >= 0, range.upperBound <= byteCount else {
      throw .rangeOutsideFile(path: path, range, byteCount: byteCount)
    }
    guard range.upperBound <= memory.byteCount else { throw .packed(path: path) }
    let memory = memory
    return unsafe _overrideLifetime(memory.bytes.extracting(range), borrowing: self)
  }

  /// The metadata: family, scheme, recipe, the version of kelter that wrote the file.
  public func metadata() throws(ContainerError) -> JSONValue {
    let range = header.section(.metadata).byteRange
    let bytes = try copy(range)
    do throws(JSONError) {
      return try JSONValue(parsing: bytes, file: path)
    } catch {
      throw damage(range.lowerBound + error.byteOffset, .malformed(what: "metadata"))
    }
  }
}

extension ContainerReader {
  /// Where a record lies; nil if there is none of that index.
  func recordOffset(_ kind: SectionKind, _ index: Int) -> Int? {
    let section = header.section(kind)
    guard index >= 0, index < section.count else { return nil }
    return section.byteRange.lowerBound + index * section.recordByteCount
  }

  /// The number of records of a section.
  func count(_ kind: SectionKind) -> Int { header.section(kind).count }

  /// The integer at an offset of the file.
  func load<Value: FixedWidthInteger & BitwiseCopyable>(
    _ byteOffset: Int, _ type: Value.Type
  ) throws(ContainerError) -> Value {
    let memory = memory
    guard let value = memory.bytes.littleEndian(at: byteOffset, as: type) else {
      throw damage(byteOffset, .outside(field: "record"))
    }
    return value
  }

  /// A 64-bit offset or count that must be an `Int`.
  func loadInt(_ byteOffset: Int, _ field: String) throws(ContainerError) -> Int {
    guard let value = Int(exactly: try load(byteOffset, UInt64.self)) else {
      throw damage(byteOffset, .outside(field: field))
    }
    return value
  }

  /// A 32-bit index, or nil for "none".
  func loadIndex(_ byteOffset: Int) throws(ContainerError) -> Int? {
    let value = try load(byteOffset, UInt32.self)
    return value == ContainerFormat.none ? nil : Int(value)
  }

  /// A byte range of the file that a record states by offset and size.
  func loadRange(_ byteOffset: Int, _ field: String) throws(ContainerError) -> Range<Int> {
    let start = try loadInt(byteOffset, field)
    let count = try loadInt(byteOffset + 8, field)
    guard start <= byteCount, count <= byteCount - start else {
      throw damage(byteOffset, .outside(field: field))
    }
    return start..<start + count
  }

  /// Where the bytes of a string lie that a record names.
  func loadStringRange(_ byteOffset: Int, _ field: String) throws(ContainerError) -> Range<Int> {
    let start = Int(try load(byteOffset, UInt32.self))
    let count = Int(try load(byteOffset + 4, UInt32.self))
    let strings = header.section(.strings).byteRange
    guard start + count <= strings.count else { throw damage(byteOffset, .outside(field: field)) }
    return strings.lowerBound + start..<strings.lowerBound + start + count
  }

  /// A string that a record names.
  func loadString(_ byteOffset: Int, _ field: String) throws(ContainerError) -> String {
    let bytes = try copy(try loadStringRange(byteOffset, field))
    guard let string = String(validating: bytes, as: UTF8.self) else {
      throw damage(byteOffset, .malformed(what: field))
    }
    return string
  }

  /// Whether a string that a record names comes before the key (-1), is it (0) or comes after (1).
  func compareString(at byteOffset: Int, to key: String) throws(ContainerError) -> Int {
    let range = try loadStringRange(byteOffset, "name")
    let memory = memory
    let bytes = memory.bytes
    var position = range.lowerBound
    for unit in key.utf8 {
      guard position < range.upperBound else { return -1 }
      let byte = bytes.littleEndian(at: position, as: UInt8.self) ?? 0
      if byte != unit { return byte < unit ? -1 : 1 }
      position += 1
    }
    return position == range.upperBound ? 0 : 1
  }

  /// Reserved bytes must be zero.
  func expectZeros(_ range: Range<Int>) throws(ContainerError) {
    for byteOffset in range where try load(byteOffset, UInt8.self) != 0 {
      throw damage(byteOffset, .notZero)
    }
  }

  /// The bytes of a range that was checked.
  func copy(_ range: Range<Int>) throws(ContainerError) -> [UInt8] {
    let span = try bytes(in: range)
    return unsafe span.withUnsafeBytes { unsafe Array($0) }
  }

  func damage(_ byteOffset: Int, _ damage: ContainerDamage) -> ContainerError {
    .damaged(path: path, byteOffset: byteOffset, damage)
  }

  /// The first of `count` records for which `isBefore` is false.
  func lowerBound(
    _ count: Int, _ isBefore: (Int) throws(ContainerError) -> Bool
  ) throws(ContainerError) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = low + (high - low) / 2
      if try isBefore(middle) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
