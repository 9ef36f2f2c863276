import Bytes
package import Checkpoints

extension Checkpoint {
  /// The content checksum of each file, in the order of `files`: XXH3-64 over the checksums of its
  /// tensors, little-endian, in the order in which they lie in the file.
  /// - Parameter checksums: those of the tensors by name. A file of which one is missing has none.
  package func contentChecksums(ofTensors checksums: [String: UInt64]) -> [UInt64?] {
    var sums = [Checksum?](repeating: Checksum(), count: files.count)
    let ordered = tensors.sorted {
      ($0.fileIndex, $0.byteRange.lowerBound) < ($1.fileIndex, $1.byteRange.lowerBound)
    }
    for tensor in ordered {
      guard let checksum = checksums[tensor.name] else {
        sums[tensor.fileIndex] = nil
        continue
      }
      var bytes: [UInt8] = []
      bytes.appendLittleEndian(checksum)
      sums[tensor.fileIndex]?.update(bytes.rawSpan)
    }
    return sums.map { $0?.value() }
  }
}
