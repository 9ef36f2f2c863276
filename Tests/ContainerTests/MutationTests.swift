import Bytes
import Container
import FixtureSupport
import SystemPackage
import Testing

/// The fuzz target's check on pseudo-random lies: whatever the bytes, reading ends in values or in
/// an error, never outside of the file. `scripts/fuzz FuzzContainer` looks for more, for longer.
@Suite("Random lies lead nowhere")
struct MutationTests {
  let folder = try! TemporaryFolder()

  @Test(arguments: [1, 2, 3, 4])
  func mutations(seed: UInt64) throws {
    let golden = try File(path: Fixtures.path("container/tiny.kelter"))
    let original = try golden.bytes(in: 0..<golden.byteCount)
    let path = folder.file("mutation.kelter")
    var generator = SeededGenerator(seed: seed)
    func random(below bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }
    let interesting: [UInt8] = [0, 1, 2, 3, 4, 0x40, 0x7F, 0x80, 0xFE, 0xFF]
    var openedCount = 0
    for round in 0..<150 {
      var bytes = original
      // Header and directory, or the index; the extents hold no structure.
      let range = round % 4 == 0 ? 0..<0x220 : 0x4000..<0x5740
      for _ in 0...random(below: 4) {
        let place = range.lowerBound + random(below: range.count)
        for offset in 0..<[1, 1, 2, 4, 8][random(below: 5)] {
          bytes[place + offset] = interesting[random(below: interesting.count)]
        }
      }
      bytes.mendHeaderChecksum()
      let output = try AtomicFile(path: path, replacing: true)
      try output.write(bytes.rawSpan, at: 0)
      try output.publish()
      guard let reader = try? ContainerReader(path: path) else { continue }
      openedCount += 1
      _ = try ContainerVerifier.verify(reader)
      try reader.useAll()
    }
    #expect(openedCount > 100)
  }
}
