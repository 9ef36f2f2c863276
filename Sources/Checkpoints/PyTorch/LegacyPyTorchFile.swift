import Bytes
import SystemPackage

/// A PyTorch file of before version 1.6: five pickles, then the storages one after the other, each
/// after its element count in 8 bytes.
///
/// Source: `_legacy_save` of torch/serialization.py.
struct LegacyPyTorchFile {
  /// A pickle of the magic number 0x1950A86A20F9469CFC6C, in protocol 2.
  private static let magic: [UInt8] = [
    0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
  ]

  let source: ByteSource
  /// The pickles.
  let header: [UInt8]
  let state: StateDict
  /// Where in the file each storage's elements are.
  let storages: [String: Range<Int>]

  init(source: ByteSource) throws(CheckpointsError) {
    self.source = source
    let start = try source.read(0..<min(Self.magic.count, source.byteCount))
    guard start == Self.magic else { throw .pytorch(file: source.path, .neitherForm) }
    // How long the pickles are is known only once they are read.
    var byteCount = min(1 << 20, source.byteCount)
    while true {
      let head = try source.read(0..<byteCount)
      do throws(CheckpointsError) {
        (header, state, storages) = try Self.parse(head, source: source)
        return
      } catch .pickle(_, _, .truncated) where byteCount < source.byteCount {
        guard byteCount < PickleMachine.byteLimit else {
          throw .pickle(
            file: source.path, byteOffset: 0,
            .tooLong(byteCount: byteCount, limit: PickleMachine.byteLimit))
        }
        byteCount = min(byteCount * 8, source.byteCount, PickleMachine.byteLimit)
      }
    }
  }

  private static func parse(
    _ head: [UInt8], source: ByteSource
  ) throws(CheckpointsError) -> ([UInt8], StateDict, [String: Range<Int>]) {
    var machine = PickleMachine(bytes: head, from: Self.magic.count, path: source.path)
    guard case .integer(1001) = try machine.run() else {
      throw .pytorch(file: source.path, .neitherForm)
    }
    guard case .dictionary(let index) = try machine.run() else {
      throw .pytorch(file: source.path, .neitherForm)
    }
    for item in machine.dictionaries[index] where item.key == .text("little_endian") {
      guard item.value == .boolean(true) else { throw .pytorch(file: source.path, .bigEndian) }
    }
    let top = try machine.run()
    guard case .list(let keys) = try machine.run() else {
      throw .pytorch(file: source.path, .wrongKeys)
    }
    let state = try StateDict(top: top, machine: machine)
    let storages = try extents(
      of: machine.lists[keys], described: machine.storages, from: machine.position,
      source: source)
    return (Array(head[..<machine.position]), state, storages)
  }

  /// Finds the storages, which follow each other in the order of their keys.
  private static func extents(
    of keys: [PickleValue], described: [PickleStorage], from start: Int, source: ByteSource
  ) throws(CheckpointsError) -> [String: Range<Int>] {
    let byKey = Dictionary(described.map { ($0.key, $0) }) { first, _ in first }
    var extents: [String: Range<Int>] = [:]
    var position = start
    for key in keys {
      guard case .text(let key) = key, let storage = byKey[key] else {
        throw .pytorch(file: source.path, .wrongKeys)
      }
      guard source.byteCount - position >= 8 else {
        throw .file(
          .truncated(
            path: source.path, byteOffset: position, wanted: 8, byteCount: source.byteCount))
      }
      let stated = try source.read(position..<position + 8)
        .littleEndian(at: 0, as: UInt64.self)
      position += 8
      guard stated == UInt64(storage.elementCount) else {
        throw .pytorch(file: source.path, .wrongKeys)
      }
      let (byteCount, overflow) = storage.elementCount.multipliedReportingOverflow(
        by: storage.elementByteCount)
      guard !overflow else { throw .pytorch(file: source.path, .storageTooLarge(key: key)) }
      guard byteCount <= source.byteCount - position else {
        throw .file(
          .truncated(
            path: source.path, byteOffset: position, wanted: byteCount,
            byteCount: source.byteCount))
      }
      guard extents.updateValue(position..<position + byteCount, forKey: key) == nil else {
        throw .pytorch(file: source.path, .wrongKeys)
      }
      position += byteCount
    }
    return extents
  }
}
