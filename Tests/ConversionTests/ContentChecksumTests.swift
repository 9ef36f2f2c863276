import Bytes
import Checkpoints
import Conversion
import FixtureSupport
import Testing

/// The checksums of source files over those of their tensors.
@Suite struct ContentChecksumTests {
  /// A file of which a tensor was not read has none, rather than a number that looks like one.
  @Test func aTensorThatWasNotRead() throws {
    let checkpoint = try Checkpoint(path: Fixtures.path("trained"))
    var checksums: [String: UInt64] = [:]
    for tensor in checkpoint.tensors {
      let bytes = try checkpoint.bytes(of: tensor)
      checksums[tensor.name] = Checksum.of(bytes.rawSpan)
    }
    let whole = checkpoint.contentChecksums(ofTensors: checksums)
    #expect(whole.count == 2 && !whole.contains(nil))
    for index in 0..<2 {
      let tensors = checkpoint.tensors.filter { $0.fileIndex == index }
        .sorted { $0.byteRange.lowerBound < $1.byteRange.lowerBound }
      let list = tensors.flatMap { tensor in
        (0..<8).map { UInt8(truncatingIfNeeded: checksums[tensor.name]! >> (8 * UInt64($0))) }
      }
      #expect(whole[index] == Checksum.of(list.rawSpan))
      for tensor in [tensors.first, tensors.last] {
        var fewer = checksums
        fewer[try #require(tensor).name] = nil
        var expected = whole
        expected[index] = nil
        #expect(checkpoint.contentChecksums(ofTensors: fewer) == expected)
      }
    }
  }
}
