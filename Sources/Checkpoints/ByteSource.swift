package import Bytes
package import SystemPackage

/// The bytes of a file that is parsed: on the disk, or in memory for tests and fuzzers.
package struct ByteSource: Sendable {
  let path: FilePath
  let byteCount: Int
  private let load: @Sendable (Range<Int>) throws(CheckpointsError) -> [UInt8]

  package init(file: File) {
    path = file.path
    byteCount = file.byteCount
    load = { (range: Range<Int>) throws(CheckpointsError) -> [UInt8] in try file.read(range) }
  }

  package init(bytes: [UInt8], path: FilePath) {
    self.path = path
    byteCount = bytes.count
    load = { (range: Range<Int>) throws(CheckpointsError) -> [UInt8] in
      guard range.upperBound <= bytes.count else {
        throw .file(
          .truncated(
            path: path, byteOffset: range.lowerBound, wanted: range.count,
            byteCount: bytes.count))
      }
      return Array(bytes[range])
    }
  }

  /// The bytes of a range, which is checked against the size before anything is allocated.
  func read(_ range: Range<Int>) throws(CheckpointsError) -> [UInt8] { try load(range) }
}
