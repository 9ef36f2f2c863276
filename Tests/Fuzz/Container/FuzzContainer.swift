import Bytes
import Container
import FuzzFixture

private let fixture = PatchedFixture("container/tiny.kelter")

/// libFuzzer calls this with bytes that it made up: patches of the fixture. The header's checksum
/// is mended, so that lies get as far as they can.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzContainer(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let patches = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  // Header and index lie in the first 32 KiB.
  var bytes = fixture.bytes(patchedBy: patches, before: 0x8000)
  let checksum = Checksum.of(Array(bytes[..<16_376]).rawSpan)
  for place in 0..<8 {
    bytes[16_376 + place] = UInt8(truncatingIfNeeded: checksum >> UInt64(8 * place))
  }
  do {
    try fixture.write(bytes)
    let reader = try ContainerReader(path: fixture.path)
    _ = try ContainerVerifier.verify(reader)
    for index in 0..<reader.tensorCount {
      guard let tensor = try? reader.tensor(at: index) else { continue }
      _ = try reader.bytes(in: tensor.byteRange).byteCount
      _ = try? reader.errorRecord(ofTensor: index)
      _ = try? reader.tensor(named: tensor.name, expert: tensor.expert, part: tensor.part)
    }
    for index in 0..<reader.expertCount {
      guard let expert = try? reader.expert(at: index) else { continue }
      _ = try reader.bytes(in: expert.byteRange).byteCount
      _ = try? reader.expert(layer: expert.layer, expert: expert.expert)
    }
    for index in 0..<reader.layerCount { _ = try? reader.layer(at: index) }
    for file in (try? reader.files()) ?? [] { _ = try reader.contents(of: file) }
    _ = try? reader.sources()
    _ = try? reader.metadata()
  } catch let error as ContainerError {
    // A range that a record states must have been checked before it is handed out.
    if case .rangeOutsideFile = error { fatalError("\(error)") }
    if case .file = error { fatalError("\(error)") }
  } catch {
    fatalError("\(error)")
  }
  return 0
}
