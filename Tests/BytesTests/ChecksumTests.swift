import Bytes
import CKernels
import FixtureSupport
import Testing

/// XXH3-64 against values of the reference library (fixtures/checksum).
@Suite(.serialized)
struct ChecksumTests {
  static let golden: [(count: Int, value: UInt64)] = {
    let text = try! String(
      decoding: File(path: Fixtures.path("checksum/xxh3_64.txt")).allBytes(), as: UTF8.self)
    return text.split(separator: "\n").map { line in
      let fields = line.split(separator: " ")
      return (Int(fields[0])!, UInt64(fields[1], radix: 16)!)
    }
  }()

  static let data: [UInt8] = (0..<(golden.map(\.count).max() ?? 0)).map {
    UInt8(truncatingIfNeeded: (UInt32(truncatingIfNeeded: $0 + 1) &* 2_654_435_761) >> 24)
  }

  static let instructionSets = [CK_ISA_PORTABLE, CK_ISA_AVX2, CK_ISA_AVX512, CK_ISA_NEON]

  @Test(arguments: instructionSets)
  func agreesWithTheReference(isa: ck_isa) {
    let before = ck_isa_in_use()
    guard ck_select_isa(isa) == 0 else { return }
    defer { _ = ck_select_isa(before) }
    #expect(Self.golden.count > 1100)
    for (count, value) in Self.golden {
      let bytes = Array(Self.data.prefix(count))
      #expect(Checksum.of(bytes.rawSpan) == value, "\(count) bytes")
    }
  }

  @Test(arguments: instructionSets, [1, 3, 63, 64, 65, 255, 256, 257, 1000, 5000])
  func piecesMakeNoDifference(isa: ck_isa, pieceCount: Int) {
    let before = ck_isa_in_use()
    guard ck_select_isa(isa) == 0 else { return }
    defer { _ = ck_select_isa(before) }
    for (count, value) in Self.golden where count % 97 == 1 || count > 1100 && count < 200_000 {
      var checksum = Checksum()
      var start = 0
      // Pieces of varying length, an empty one now and then.
      while start < count {
        let end = min(count, start + (start % 7 == 3 ? pieceCount / 2 + 1 : pieceCount))
        checksum.update([UInt8]().rawSpan)
        checksum.update(Array(Self.data[start..<end]).rawSpan)
        start = end
      }
      #expect(checksum.value() == value, "\(count) bytes in pieces of \(pieceCount)")
      #expect(checksum.value() == value, "asking twice")
    }
  }
}
