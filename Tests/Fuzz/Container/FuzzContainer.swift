import Bytes
import Container
import SystemPackage

/// libFuzzer calls this with bytes that it made up. They are patches of the fixture (place, count,
/// bytes), because a random file of a hundred kilobytes would never get past the magic; the
/// header's checksum is mended, so that lies get as far as they can.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzContainer(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  var bytes = Fuzz.original
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  var next = 0
  while next + 4 <= input.count {
    // Header and index lie in the first 32 KiB.
    let place = (Int(input[next]) | Int(input[next + 1]) << 8) % 0x8000
    let byteCount = min(Int(input[next + 2]) % 16 + 1, input.count - next - 3)
    for offset in 0..<byteCount where place + offset < bytes.count {
      bytes[place + offset] = input[next + 3 + offset]
    }
    next += 3 + byteCount
  }
  let checksum = Checksum.of(Array(bytes[..<16_376]).rawSpan)
  for place in 0..<8 {
    bytes[16_376 + place] = UInt8(truncatingIfNeeded: checksum >> UInt64(8 * place))
  }
  do {
    try Fuzz.write(bytes)
    let reader = try ContainerReader(path: Fuzz.path)
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

enum Fuzz {
  /// The fixture, found from this file.
  static let original: [UInt8] = {
    let root = FilePath(#filePath).removingLastComponent().removingLastComponent()
      .removingLastComponent().removingLastComponent()
    do {
      let file = try File(path: root.appending("fixtures/container/tiny.kelter"))
      return try file.bytes(in: 0..<file.byteCount)
    } catch {
      fatalError("\(error)")
    }
  }()

  /// In memory where there is such a folder.
  static let path = FilePath("/dev/shm/kelter-fuzz-\(UInt64.random(in: 0...UInt64.max)).kelter")
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
