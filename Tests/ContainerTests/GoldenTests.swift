import Bytes
import Container
import FixtureSupport
import Foundation
import SystemPackage
import Testing

@Suite("The file is what formats/container.md says")
struct GoldenTests {
  let folder = try! TemporaryFolder()
  let golden = Fixtures.path("container/tiny.kelter")

  /// `KELTER_MAKE_FIXTURES=1 swift test --filter GoldenTests` writes the fixture anew.
  @Test func theWriterWritesTheFixture() throws {
    if ProcessInfo.processInfo.environment["KELTER_MAKE_FIXTURES"] != nil {
      try TinyContainer.write(to: golden, sha256: true)
    }
    let path = folder.file("tiny.kelter")
    try TinyContainer.write(to: path, sha256: true)
    #expect(try bytes(path) == bytes(golden))
  }

  @Test(arguments: [([2, 1, 0], 1 << 20), ([1, 2, 0], 7), ([0, 2, 1], 64)])
  func orderAndPiecesDoNotMatter(order: [Int], pieceByteCount: Int) throws {
    let path = folder.file("tiny.kelter")
    try TinyContainer.write(to: path, sha256: true, order: order, pieceByteCount: pieceByteCount)
    #expect(try bytes(path) == bytes(golden))
  }

  @Test func threadsDoNotMatter() throws {
    let path = folder.file("tiny.kelter")
    let plan = try TinyContainer.plan(sha256: true)
    let writer = try ContainerWriter(path: path, plan: plan, replacing: false)
    DispatchQueue.concurrentPerform(iterations: 3) { extent in
      do {
        try TinyContainer.write(extent, of: writer)
      } catch {
        Issue.record(error)
      }
    }
    try TinyContainer.writeFilesAndPublish(writer)
    #expect(try bytes(path) == bytes(golden))
  }

  @Test func theFixtureIsSound() throws {
    #expect(try ContainerVerifier.verify(ContainerReader(path: golden)) == [])
  }

  /// Every line of a `hexdump` block, `offset  bytes`, is in the fixture.
  @Test func theDocumentsHexDumpsAreInTheFixture() throws {
    let document = try String(
      contentsOf: URL(filePath: Fixtures.packageRoot.appending("formats/container.md").string),
      encoding: .utf8)
    let golden = try bytes(golden)
    var isInside = false
    var lineCount = 0
    for line in document.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        isInside = line == "```hexdump"
      } else if isInside {
        let words = line.prefix { $0 != "|" }.split(separator: " ")
        let offset = try #require(words.first.flatMap { Int($0, radix: 16) }, "\(line)")
        let dumped = words.dropFirst().map { UInt8($0, radix: 16) }
        let end = offset + dumped.count
        try #require(end <= golden.count && !dumped.isEmpty, "\(line)")
        #expect(dumped == golden[offset..<end].map(Optional.some), "\(line)")
        lineCount += 1
      }
    }
    #expect(lineCount > 50)
  }

  private func bytes(_ path: FilePath) throws -> [UInt8] {
    let file = try File(path: path)
    return try file.bytes(in: 0..<file.byteCount)
  }
}
