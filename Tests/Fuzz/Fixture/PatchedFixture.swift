import Bytes
public import SystemPackage

/// A fixture with patches that libFuzzer made up, in a file: random bytes as a whole would never
/// get past the magic.
public struct PatchedFixture: Sendable {
  /// The file, in memory.
  public let path: FilePath
  private let descriptor: FileDescriptor
  private let original: [UInt8]

  /// - Parameter name: the fixture's path under fixtures/.
  public init(_ name: String) {
    let root = FilePath(#filePath).removingLastComponent().removingLastComponent()
      .removingLastComponent().removingLastComponent()
    path = FilePath("/dev/shm/kelter-fuzz-\(UInt64.random(in: 0...UInt64.max))")
    do {
      let file = try File(path: root.appending("fixtures").appending(name))
      original = try file.bytes(in: 0..<file.byteCount)
      descriptor = try FileDescriptor.open(
        path, .readWrite, options: [.create, .truncate], permissions: .ownerReadWrite)
    } catch {
      fatalError("\(error)")
    }
  }

  /// The fixture after patches: place (two bytes), count, bytes.
  /// - Parameter end: patches lie before it.
  public func bytes(patchedBy input: [UInt8], before end: Int = .max) -> [UInt8] {
    var bytes = original
    let end = min(end, bytes.count)
    var next = 0
    while next + 4 <= input.count {
      let place = (Int(input[next]) | Int(input[next + 1]) << 8) % end
      let byteCount = min(Int(input[next + 2]) % 16 + 1, input.count - next - 3)
      for offset in 0..<byteCount where place + offset < bytes.count {
        bytes[place + offset] = input[next + 3 + offset]
      }
      next += 3 + byteCount
    }
    return bytes
  }

  /// Puts bytes, as many as the fixture has, into the file.
  public func write(_ bytes: [UInt8]) throws {
    try unsafe bytes.withUnsafeBytes {
      _ = try unsafe descriptor.writeAll(toAbsoluteOffset: 0, $0)
    }
  }
}
