import Bytes
import Container

extension ConversionPlan {
  /// XXH3-64 of where each tensor of the output lies and how it is encoded.
  var layoutChecksum: UInt64 {
    var text = "\(container.byteCount)"
    for extent in container.extents.indices {
      text += "\n\(container.byteRange(ofExtent: extent))"
      for (place, tensor) in container.extents[extent].tensors.enumerated() {
        text += " \(container.byteRange(ofTensor: place, inExtent: extent)) \(tensor.scheme)"
      }
    }
    return Checksum.of(Array(text.utf8).rawSpan)
  }
}

extension [Int] {
  /// XXH3-64 of the numbers, 64 bits each, little-endian.
  var contentChecksum: UInt64 {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(8 * count)
    for number in self { bytes.appendLittleEndian(number) }
    return Checksum.of(bytes.rawSpan)
  }
}
