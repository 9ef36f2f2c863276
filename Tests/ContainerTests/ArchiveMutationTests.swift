import Bytes
import Container
import FixtureSupport
import SystemPackage
import Testing

/// Lies in an archive without checksums get as far as they can: into libzstd, and into the
/// container's own index. `scripts/fuzz FuzzArchive` looks for more, for longer.
@Suite("Random lies in archives lead nowhere")
struct ArchiveMutationTests {
  let folder = try! TemporaryFolder()
  static let archive = Fixtures.path("archive/pyzstd.kelter.zst")

  @Test func foreignArchiveIsSound() throws {
    let reader = try ContainerReader(path: Self.archive)
    let plain = try ContainerReader(path: Fixtures.path("container/tiny.kelter"))
    #expect(try ContainerVerifier.verify(reader) == [])
    #expect(try reader.allTensors() == plain.allTensors())
    #expect(try reader.files().map(reader.contents) == plain.files().map(plain.contents))
    // The index is in memory; what lies behind it can be read and not lent.
    let tensor = try reader.tensor(at: 0)
    #expect(try reader.bytes(in: 0..<16).byteCount == 16)
    #expect(throws: ContainerError.self) {
      _ = try reader.bytes(in: tensor.byteRange).byteCount
    }
  }

  @Test(arguments: [1, 2, 3, 4])
  func mutations(seed: UInt64) throws {
    let file = try File(path: Self.archive)
    let original = try file.bytes(in: 0..<file.byteCount)
    let path = folder.file("mutation.kelter.zst")
    var generator = SeededGenerator(seed: seed)
    func random(below bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }
    let interesting: [UInt8] = [0, 1, 2, 3, 4, 0x40, 0x7F, 0x80, 0xFE, 0xFF]
    var outcomes = (read: 0, refused: 0)
    for round in 0..<200 {
      var bytes = original
      // The seek table at the end, or the frames.
      let range = round % 2 == 0 ? bytes.count - 97..<bytes.count : 0..<bytes.count
      for _ in 0...random(below: 3) {
        let place = range.lowerBound + random(below: range.count)
        for offset in 0..<[1, 1, 2, 4][random(below: 4)] where place + offset < bytes.count {
          bytes[place + offset] = interesting[random(below: interesting.count)]
        }
      }
      let output = try AtomicFile(path: path, replacing: true)
      try output.write(bytes.rawSpan, at: 0)
      try output.publish()
      do {
        let reader = try ContainerReader(path: path)
        _ = try ContainerVerifier.verify(reader)
        outcomes.read += 1
      } catch let error as ContainerError {
        #expect(error.kind == .invalidInput)
        outcomes.refused += 1
      }
    }
    #expect(outcomes.refused > 100)
  }
}
