import Bytes
import Container
import SystemPackage

/// libFuzzer calls this with bytes that it made up: patches (place, count, bytes) of the fixture
/// that pyzstd made. It has no checksums, so that lies get as far as they can: the seek table,
/// libzstd, and the container in it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzArchive(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  var bytes = Fuzz.original
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  var next = 0
  while next + 4 <= input.count {
    let place = (Int(input[next]) | Int(input[next + 1]) << 8) % bytes.count
    let byteCount = min(Int(input[next + 2]) % 16 + 1, input.count - next - 3)
    for offset in 0..<byteCount where place + offset < bytes.count {
      bytes[place + offset] = input[next + 3 + offset]
    }
    next += 3 + byteCount
  }
  do {
    try Fuzz.write(bytes)
    let archive = try ArchiveReader(file: File(path: Fuzz.path))
    _ = try? archive.bytes(in: 0..<min(archive.byteCount, 1 << 20))
    _ = try ContainerVerifier.verify(ContainerReader(path: Fuzz.path))
  } catch let error as any KelterError {
    // Whatever the bytes, they are what is wrong.
    if error.kind != .invalidInput { fatalError("\(error)") }
  } catch {
    fatalError("\(error)")
  }
  return 0
}

enum Fuzz {
  /// The fixture, found from this file.
  static let original: [UInt8] = {
    let root = FilePath(#filePath).removingLastComponent().removingLastComponent()
      .removingLastComponent().removingLastComponent()
    do {
      let file = try File(path: root.appending("fixtures/archive/pyzstd.kelter.zst"))
      return try file.bytes(in: 0..<file.byteCount)
    } catch {
      fatalError("\(error)")
    }
  }()

  /// In memory where there is such a folder.
  static let path = FilePath(
    "/dev/shm/kelter-fuzz-\(UInt64.random(in: 0...UInt64.max)).kelter.zst")
  static let descriptor: FileDescriptor = {
    do {
      return try FileDescriptor.open(
        path, .readWrite, options: [.create, .truncate], permissions: .ownerReadWrite)
    } catch {
      fatalError("\(error)")
    }
  }()

  static func write(_ bytes: [UInt8]) throws {
    try unsafe bytes.withUnsafeBytes {
      _ = try unsafe descriptor.writeAll(toAbsoluteOffset: 0, $0)
    }
  }
}
