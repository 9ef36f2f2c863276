import Container
import Validation

/// What figures were measured on: those of two outputs can be compared where it is the same.
struct MeasurementBasis {
  /// How layers were measured; nil where none were.
  private var layers: String?
  private var sources: [Source] = []

  /// A weight file, checksums in hexadecimal.
  private struct Source: Equatable {
    let name: String
    let headerChecksum: String
    /// Nil where the file was not read whole.
    let checksum: String?

    /// Whether both can be the same file.
    func canBe(_ other: Source) -> Bool {
      headerChecksum == other.headerChecksum
        && (checksum == nil || other.checksum == nil || checksum == other.checksum)
    }
  }

  init() {}

  init(_ report: Report) {
    let measured = report.measurement
    if !report.layers.isEmpty {
      // Where a stream is seeded, the seed decides; elsewhere it says nothing.
      let isSeeded = report.layers.contains { $0.input == "seeded" } || measured.tokens == "seeded"
      layers =
        "\(measured.tokenCount) tokens (\(measured.tokens))"
        + (isSeeded ? ", seed \(measured.seed)" : "")
    }
    sources = report.source.files.map {
      Source(name: $0.name, headerChecksum: $0.headerChecksum, checksum: $0.checksum)
    }
  }

  init(sources contained: [ContainedSource]) {
    sources = contained.map {
      Source(
        name: $0.name, headerChecksum: $0.headerChecksum.hexadecimal,
        checksum: $0.contentChecksum?.hexadecimal)
    }
  }

  /// What makes figures of two outputs figures of different things.
  static func differences(_ a: MeasurementBasis, _ b: MeasurementBasis) -> [String] {
    var notes: [String] = []
    if let layersA = a.layers, let layersB = b.layers, layersA != layersB {
      notes.append(
        "layers were measured on \(layersA) in A and on \(layersB) in B: their figures differ for"
          + " that reason too")
    }
    if a.sources.count != b.sources.count {
      notes.append(
        "A was made from \(a.sources.count) weight files and B from \(b.sources.count): not the"
          + " same source")
    } else if let (one, other) = zip(a.sources, b.sources).first(where: { !$0.canBe($1) }) {
      notes.append(
        "A and B were not made from the same source: \(one.name) of A differs from"
          + " \(other.name) of B")
    }
    return notes
  }
}
