internal import Foundation
import Validation

/// What a journal keeps of a layer that is measured.
struct LayerRecord: Sendable, Codable, Equatable {
  /// The layer's first unit, by its place in the plan's units.
  var firstUnit: Int
  /// The layer's figures.
  var entry: Report.LayerEntry
  /// Where the streams behind the layer are kept; nil for a layer that they do not pass.
  var streams: StreamsPlace?

  /// A slot and XXH3-64 of what was written there.
  struct StreamsPlace: Sendable, Codable, Equatable {
    var slot: Int
    var checksum: UInt64
  }

  func record() throws -> JournalRecord {
    JournalRecord(kind: .layer, payload: Array(try JSONEncoder().encode(self)))
  }

  init(firstUnit: Int, entry: Report.LayerEntry, streams: StreamsPlace?) {
    self.firstUnit = firstUnit
    self.entry = entry
    self.streams = streams
  }

  /// Reads the payload of a record; nil if it is none.
  init?(payload: [UInt8]) {
    guard let record = try? JSONDecoder().decode(LayerRecord.self, from: Data(payload)) else {
      return nil
    }
    self = record
  }
}
