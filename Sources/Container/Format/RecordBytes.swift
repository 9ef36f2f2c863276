import Bytes

/// Appends the fields of records, little-endian, in the order in which the document lists them.
struct RecordBytes {
  private(set) var bytes: [UInt8] = []

  init(byteCount: Int) { bytes.reserveCapacity(byteCount) }

  mutating func append<Value: FixedWidthInteger>(_ value: Value) {
    bytes.appendLittleEndian(value)
  }

  mutating func append(_ value: Double) { append(value.bitPattern) }
  mutating func append(_ value: [UInt8]) { bytes.append(contentsOf: value) }

  mutating func append(_ string: StringReference) {
    append(string.byteOffset)
    append(string.byteCount)
  }

  /// Appends reserved bytes.
  mutating func appendZeros(_ count: Int) {
    bytes.append(contentsOf: repeatElement(0, count: count))
  }

  /// Appends zeros up to a multiple of `alignment`.
  mutating func pad(toMultipleOf alignment: Int) {
    appendZeros((alignment - bytes.count % alignment) % alignment)
  }
}
