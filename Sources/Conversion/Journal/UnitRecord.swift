import Bytes
import Checkpoints
import Container
import Quantization
import Tensors

/// What a journal keeps of a unit whose extent is written.
struct UnitRecord: Sendable, Equatable {
  /// Its place in the plan's units.
  var unit: Int
  var sums: ExtentSums
  /// The error of each of its weights.
  var statistics: [ErrorStatistics]
  /// XXH3-64 of each tensor that was read whole, by its place in the checkpoint's tensors.
  var tensorChecksums: [Int: UInt64]

  private static let digestByteCount = 32

  var record: JournalRecord {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(UInt32(unit))
    bytes.appendLittleEndian(sums.checksum)
    bytes.appendLittleEndian(UInt32(sums.digest == nil ? 0 : 1))
    bytes += sums.digest ?? []
    bytes.appendLittleEndian(UInt32(statistics.count))
    for statistics in statistics { bytes += statistics.state }
    bytes.appendLittleEndian(UInt32(tensorChecksums.count))
    for (tensor, checksum) in tensorChecksums.sorted(by: { $0.key < $1.key }) {
      bytes.appendLittleEndian(UInt32(tensor))
      bytes.appendLittleEndian(checksum)
    }
    return JournalRecord(kind: .unit, payload: bytes)
  }

  init(
    unit: Int, sums: ExtentSums, statistics: [ErrorStatistics], tensorChecksums: [Int: UInt64]
  ) {
    self.unit = unit
    self.sums = sums
    self.statistics = statistics
    self.tensorChecksums = tensorChecksums
  }

  /// Reads the payload of a record; nil if it does not fit the plan.
  init?(payload: [UInt8], plan: ConversionPlan) {
    var fields = JournalFields(payload)
    guard let unit = fields.next(UInt32.self).map(Int.init), unit < plan.units.count,
      let checksum = fields.next(UInt64.self), let digestCount = fields.next(UInt32.self),
      digestCount == (plan.options.sha256 ? 1 : 0)
    else { return nil }
    var digest: [UInt8]?
    if digestCount == 1 {
      digest = fields.next(byteCount: Self.digestByteCount)
      if digest == nil { return nil }
    }
    let weights = plan.units[unit].weights
    guard fields.next(UInt32.self).map(Int.init) == weights.count else { return nil }
    var statistics: [ErrorStatistics] = []
    for weight in weights {
      guard let state = fields.next(byteCount: ErrorStatistics.stateByteCount),
        let one = ErrorStatistics(state: state, pairCount: weight.shape.elementCount)
      else { return nil }
      statistics.append(one)
    }
    guard let count = fields.next(UInt32.self) else { return nil }
    var checksums: [Int: UInt64] = [:]
    for _ in 0..<count {
      guard let tensor = fields.next(UInt32.self).map(Int.init),
        tensor < plan.source.checkpoint.tensors.count, let checksum = fields.next(UInt64.self)
      else { return nil }
      checksums[tensor] = checksum
    }
    guard fields.isAtEnd else { return nil }
    self.init(
      unit: unit, sums: ExtentSums(checksum: checksum, digest: digest), statistics: statistics,
      tensorChecksums: checksums)
  }

  static func == (a: Self, b: Self) -> Bool { a.record == b.record }
}
