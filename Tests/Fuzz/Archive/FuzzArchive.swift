import Bytes
import Container
import FuzzFixture

/// The fixture that pyzstd made. It has no checksums, so that lies get as far as they can: the seek
/// table, libzstd, and the container in it.
private let fixture = PatchedFixture("archive/pyzstd.kelter.zst")

/// libFuzzer calls this with bytes that it made up: patches of the fixture.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzArchive(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let patches = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  do {
    try fixture.write(fixture.bytes(patchedBy: patches))
    let archive = try ArchiveReader(file: File(path: fixture.path))
    _ = try? archive.bytes(in: 0..<min(archive.byteCount, 1 << 20))
    _ = try ContainerVerifier.verify(ContainerReader(path: fixture.path))
  } catch let error as any KelterError {
    // Whatever the bytes, they are what is wrong.
    if error.kind != .invalidInput { fatalError("\(error)") }
  } catch {
    fatalError("\(error)")
  }
  return 0
}
