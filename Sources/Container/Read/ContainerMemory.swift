import Bytes

/// What of a container can be reached without reading: all of a mapped file, or the header and the
/// index of a packed one.
enum ContainerMemory: Sendable {
  case mapped(FileMapping)
  case held([UInt8])

  /// The largest index that is unpacked into memory: that of a million tensors.
  static let maximumHeldByteCount = 512 << 20

  /// - Throws: `wrongByteCount` if the file was replaced since it was opened, `indexTooLarge`,
  ///   `file`.
  init(of source: any ByteSource, isPacked: Bool, header: Header) throws(ContainerError) {
    let end = header.sections.last?.byteRange.upperBound ?? ContainerFormat.headerByteCount
    if isPacked, end > Self.maximumHeldByteCount {
      throw .indexTooLarge(path: source.path, byteCount: end)
    }
    do throws(BytesError) {
      self =
        isPacked
        ? .held(try source.bytes(in: 0..<end)) : .mapped(try FileMapping(path: source.path))
    } catch {
      throw .file(error)
    }
    if !isPacked, byteCount != source.byteCount {
      throw .wrongByteCount(
        path: source.path, stated: UInt64(byteCount), actual: source.byteCount)
    }
  }

  var byteCount: Int {
    switch self {
    case .mapped(let mapping): mapping.byteCount
    case .held(let bytes): bytes.count
    }
  }

  var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      switch self {
      case .mapped(let mapping): unsafe _overrideLifetime(mapping.bytes, borrowing: self)
      case .held(let bytes): unsafe _overrideLifetime(bytes.rawSpan, borrowing: self)
      }
    }
  }
}
