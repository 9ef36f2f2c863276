import Bytes
import FixtureSupport
import SystemPackage
import Testing

/// The fuzzer's seeds, and mutations of them that are the same in every run.
struct MutationTests {
  static let seeds: [[UInt8]] = {
    let folder = Fixtures.packageRoot.appending("Tests").appending("Fuzz").appending("corpus")
      .appending("FuzzSafetensors")
    return ((try? Folder.names(in: folder)) ?? []).compactMap {
      try? contents(folder.appending($0))
    }
  }()

  @Test func seedsAreRefusedOrSound() {
    #expect(Self.seeds.count >= 8)
    for seed in Self.seeds { #expect(probeSafetensors(seed)) }
  }

  @Test(arguments: [UInt64(1), 2, 3]) func mutationsAreRefusedOrSound(randomSeed: UInt64) {
    var random = SeededGenerator(seed: randomSeed)
    for _ in 0..<4000 {
      var bytes = Self.seeds.randomElement(using: &random) ?? []
      for _ in 0..<Int.random(in: 1...4, using: &random) { Self.mutate(&bytes, &random) }
      if Bool.random(using: &random), bytes.count >= 8 {
        // Most headers are refused for their length; this one fits.
        for index in 0..<8 {
          bytes[index] = UInt8(truncatingIfNeeded: (bytes.count - 8) >> (8 * index))
        }
      }
      #expect(probeSafetensors(bytes), "\(bytes)")
    }
  }

  private static func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
    let position = Int.random(in: 0...bytes.count, using: &random)
    switch Int.random(in: 0..<5, using: &random) {
    case 0 where position < bytes.count:
      bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: position)
    case 2: bytes.removeSubrange(position..<min(bytes.count, position + 3))
    case 3:
      let words = [
        "\"", "[", "]", "{", "}", ",", ":", "-1", "18446744073709551615", "\\ud800", "1e9",
      ]
      bytes.insert(contentsOf: (words.randomElement(using: &random) ?? "").utf8, at: position)
    default:
      let other = seeds.randomElement(using: &random) ?? []
      bytes.replaceSubrange(position..., with: other.suffix(from: min(position, other.count)))
    }
  }
}

extension MutationTests {
  private func probeSafetensors(_ bytes: [UInt8]) -> Bool {
    CheckpointsTests.probeSafetensors(bytes.rawSpan)
  }
}
