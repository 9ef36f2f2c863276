import Bytes
import FixtureSupport
import SystemPackage
import Testing

/// The GGUF fuzzer's seeds, and mutations of them that are the same in every run.
struct GGUFMutationTests {
  static let seeds: [[UInt8]] = {
    let folder = Fixtures.packageRoot.appending("Tests").appending("Fuzz").appending("corpus")
      .appending("FuzzGGUF")
    return ((try? Folder.names(in: folder)) ?? []).compactMap {
      try? contents(folder.appending($0))
    }
  }()

  @Test func seedsAreRefusedOrSound() {
    #expect(Self.seeds.count >= 6)
    for seed in Self.seeds { #expect(isSound(seed)) }
  }

  @Test(arguments: [UInt64(1), 2, 3]) func mutationsAreRefusedOrSound(randomSeed: UInt64) {
    var random = SeededGenerator(seed: randomSeed)
    for _ in 0..<4000 {
      var bytes = Self.seeds.randomElement(using: &random) ?? []
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let position = Int.random(in: 0...bytes.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0 where position < bytes.count:
          bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1 where position < bytes.count:
          bytes[position] = [0, 1, 0x7F, 0xFF].randomElement(using: &random) ?? 0
        case 2: bytes.removeSubrange(position..<min(bytes.count, position + 4))
        case 3:
          for index in position..<min(bytes.count, position + 8) { bytes[index] = 0xFF }
        default:
          let other = Self.seeds.randomElement(using: &random) ?? []
          bytes.replaceSubrange(position..., with: other.suffix(from: min(position, other.count)))
        }
      }
      #expect(isSound(bytes), "\(bytes)")
    }
  }

  private func isSound(_ bytes: [UInt8]) -> Bool { probeGGUF(bytes.rawSpan) }
}
