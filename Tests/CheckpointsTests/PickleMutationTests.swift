import Bytes
import FixtureSupport
import SystemPackage
import Testing

/// The seeds of FuzzPickle, and mutations of them that are the same in every run.
struct PickleMutationTests {
  static let seeds: [[UInt8]] = {
    let folder = Fixtures.packageRoot.appending("Tests").appending("Fuzz").appending("corpus")
      .appending("FuzzPickle")
    return ((try? Folder.names(in: folder)) ?? []).compactMap {
      try? contents(folder.appending($0))
    }
  }()

  @Test func seedsAreRefusedOrSound() {
    #expect(Self.seeds.count >= 10)
    for seed in Self.seeds { #expect(probePickle(seed)) }
  }

  @Test(arguments: [UInt64(1), 2, 3]) func mutationsAreRefusedOrSound(randomSeed: UInt64) {
    var random = SeededGenerator(seed: randomSeed)
    for _ in 0..<3000 {
      var bytes = Self.seeds.randomElement(using: &random) ?? []
      for _ in 0..<Int.random(in: 1...4, using: &random) { Self.mutate(&bytes, &random) }
      #expect(probePickle(bytes), "\(bytes)")
    }
  }

  private static func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
    let position = Int.random(in: 0...bytes.count, using: &random)
    switch Int.random(in: 0..<6, using: &random) {
    case 0 where position < bytes.count:
      bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1 where position < bytes.count:
      bytes[position] = UInt8.random(in: 0...255, using: &random)
    case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: position)
    case 3: bytes.removeSubrange(position..<min(bytes.count, position + 3))
    case 4:
      // Sizes and offsets that are far away.
      for index in position..<min(bytes.count, position + 4) { bytes[index] = 0xFF }
    default:
      let other = seeds.randomElement(using: &random) ?? []
      bytes.replaceSubrange(position..., with: other.suffix(from: min(position, other.count)))
    }
  }
}
