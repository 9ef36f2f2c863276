import Bytes
import ReferenceModel
import Synchronization
import SystemPackage
import Tensors

/// The notes of a conversion beside its partial file: a header, room for the streams of two layers
/// in turn, then a record for each unit and each layer that is done.
///
/// Nothing is forced to the disk on the way: records and what they speak of carry checksums, and
/// what a power cut has lost is done again.
final class Journal: Sendable {
  private struct State {
    /// Where the next record goes.
    var end: Int
    /// Where the next streams go.
    var slot = 0
    var unitCount = 0
  }

  private let file: WorkFile
  private let header: JournalHeader
  private let slotsOffset: Int
  private let state: Mutex<State>

  /// Where the journal of an output lies: `v3.kelter.journal` beside `v3.kelter`.
  static func path(of output: FilePath) -> FilePath {
    output.removingLastComponent().appending("\(output.lastComponent?.string ?? "").journal")
  }

  /// Opens the journal of an output, or creates it.
  /// - Parameter isReplaced: whether it is to be overwritten, whatever it is.
  /// - Throws: `ConversionError.foreign` for a file that no run has left.
  init(of output: FilePath, header: JournalHeader, isReplaced: Bool) throws {
    file = try WorkFile(path: Self.path(of: output))
    if !isReplaced, !Self.isOwn(file) { throw ConversionError.foreign(path: file.path.string) }
    self.header = header
    slotsOffset = try header.record.byteCount
    state = Mutex(State(end: slotsOffset + 2 * header.slotByteCount))
  }

  /// The header of the run that wrote the file; nil if none is legible.
  var begun: JournalHeader? {
    guard let record = JournalRecord(in: file, at: 0), record.kind == .header else { return nil }
    return JournalHeader(payload: record.payload)
  }

  /// Whether there is something to go on from.
  var isWorthKeeping: Bool { state.withLock { $0.unitCount > 0 } }

  /// Empties the file and writes the header.
  func begin() throws {
    try file.setByteCount(0)
    try file.write(header.record.bytes(at: 0).rawSpan, at: 0)
  }

  /// Reads the records up to the first that is not whole, from which on new ones are written.
  func read(plan: ConversionPlan) throws -> (units: [Int: UnitRecord], layers: [Int: LayerRecord]) {
    var units: [Int: UnitRecord] = [:]
    var layers: [Int: LayerRecord] = [:]
    var end = state.withLock { $0.end }
    while let record = JournalRecord(in: file, at: end) {
      switch record.kind {
      case .header: break
      case .unit:
        if let unit = UnitRecord(payload: record.payload, plan: plan) { units[unit.unit] = unit }
      case .layer:
        if let layer = LayerRecord(payload: record.payload) { layers[layer.firstUnit] = layer }
      }
      end += record.byteCount
    }
    try file.setByteCount(end)
    state.withLock {
      $0.end = end
      $0.unitCount = units.count
    }
    return (units, layers)
  }

  func append(_ unit: UnitRecord) throws(BytesError) {
    try state.withLock { state throws(BytesError) in
      try append(unit.record, &state)
      state.unitCount += 1
    }
  }

  /// - Parameter streams: behind the layer; nil for a layer that they do not pass.
  func append(_ layer: LayerRecord, streams: Streams?) throws {
    try state.withLock { state in
      var layer = layer
      if let streams {
        layer.streams = .init(slot: state.slot, checksum: try write(streams, slot: state.slot))
        state.slot = 1 - state.slot
      }
      try append(layer.record(), &state)
    }
  }

  private func append(_ record: JournalRecord, _ state: inout State) throws(BytesError) {
    // Written at once: what a failure leaves of it is written over.
    try file.write(record.bytes(at: state.end).rawSpan, at: state.end)
    state.end += record.byteCount
  }

  /// Removes the file.
  func remove() { file.remove() }
}

extension Journal {
  /// How many elements are written or read at once.
  private static let pieceElementCount = 1 << 18

  /// Writes the reference stream and, behind it, the delivered one.
  /// - Returns: XXH3-64 of both.
  private func write(_ streams: Streams, slot: Int) throws -> UInt64 {
    var checksum = Checksum()
    var byteOffset = slotsOffset + slot * header.slotByteCount
    for values in [streams.reference.values, streams.delivered.values] {
      for start in stride(from: 0, to: values.count, by: Self.pieceElementCount) {
        let piece = values.span.extracting(
          start..<min(values.count, start + Self.pieceElementCount))
        var bytes = [UInt8](repeating: 0, count: piece.count * MemoryLayout<Float>.size)
        var span = bytes.mutableSpan
        ElementConversion.encodeF32(piece, into: &span)
        checksum.update(bytes.rawSpan)
        try file.write(bytes.rawSpan, at: byteOffset)
        byteOffset += bytes.count
      }
    }
    return checksum.value()
  }

  /// Reads the streams of a place, which the next streams then leave alone; nil if they are not
  /// there any more.
  func streams(at place: LayerRecord.StreamsPlace, tokens: [Int]) -> Streams? {
    guard place.slot == 0 || place.slot == 1, !tokens.isEmpty else { return nil }
    var checksum = Checksum()
    var byteOffset = slotsOffset + place.slot * header.slotByteCount
    let count = header.slotByteCount / 2 / MemoryLayout<Float>.size
    var matrices: [Matrix] = []
    for _ in 0..<2 {
      var matrix = Matrix(rows: tokens.count, columns: count / tokens.count)
      var values = matrix.values.mutableSpan
      for start in stride(from: 0, to: count, by: Self.pieceElementCount) {
        let elements = start..<min(count, start + Self.pieceElementCount)
        let byteCount = elements.count * MemoryLayout<Float>.size
        guard let bytes = try? file.bytes(in: byteOffset..<byteOffset + byteCount) else {
          return nil
        }
        checksum.update(bytes.rawSpan)
        var piece = values.slice(elements)
        ElementConversion.decode(bytes.span, as: .f32, into: &piece)
        byteOffset += byteCount
      }
      matrices.append(matrix)
    }
    guard checksum.value() == place.checksum else { return nil }
    state.withLock { $0.slot = 1 - place.slot }
    return Streams(tokens: tokens, reference: matrices[0], delivered: matrices[1])
  }
}
