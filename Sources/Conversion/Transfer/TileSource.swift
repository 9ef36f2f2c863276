import Bytes
import Checkpoints
import ModelFamilies
import Quantization
import SourceWeights
import Tensors

/// The tiles of a weight, decoded; a weight whose maximum was asked for is not read twice if it can
/// be held.
struct TileSource {
  /// Weights of up to this many elements are held (64 MiB of Float32).
  private static let heldElementCount = 1 << 24

  private let weight: SourceWeight
  private let shape: Shape
  /// The tiles in order.
  let tiles: [Range<Int>]
  /// The tiles of the whole weight.
  private let allTiles: [Range<Int>]
  /// The number of rows of the largest tile.
  let height: Int
  /// The number of elements of the largest tile.
  let capacity: Int
  /// The end of the last tile, if they follow each other; or 0.
  private let end: Int
  private var reader: WeightReader
  /// In place of `reader` for a part of a weight.
  private var partReader: PartReader?
  /// The whole weight, if it is held.
  private var held: [Float] = []
  private var checksum = Checksum()
  /// The first row whose bytes are not in `checksum` yet.
  private var nextRow = 0

  /// - Parameter tiles: the tiles that will be read; nil for all of the weight's.
  init(weight: PlannedWeight, checkpoint: Checkpoint, tiles: [Range<Int>]? = nil) {
    self.weight = weight.source
    shape = weight.shape
    self.tiles = tiles ?? weight.tiles
    height = self.tiles.lazy.map(\.count).max() ?? 0
    capacity = height * weight.shape.columns
    let followEachOther = zip(self.tiles, self.tiles.dropFirst()).allSatisfy {
      $0.upperBound == $1.lowerBound
    }
    end = followEachOther ? self.tiles.last?.upperBound ?? 0 : 0
    allTiles = weight.tiles
    reader = WeightReader(weight: weight.source, checkpoint: checkpoint)
    partReader = weight.part.map {
      PartReader(weight: weight.source, part: $0.part, checkpoint: checkpoint)
    }
  }

  /// What is held of a weight whose maximum is asked for, in bytes.
  static func heldByteCount(elementCount: Int) -> Int {
    elementCount <= heldElementCount ? elementCount * MemoryLayout<Float>.size : 0
  }

  /// Decodes a tile into a buffer of `capacity`. Ask for the tiles in order.
  mutating func read(_ rows: Range<Int>, into values: inout [Float]) throws {
    try read(rows, upTo: end, into: &values)
  }

  private mutating func read(
    _ rows: Range<Int>, upTo end: Int, into values: inout [Float]
  ) throws {
    let count = rows.count * shape.columns
    var span = values.mutableSpan
    var tile = span.slice(0..<count)
    if held.isEmpty {
      if partReader != nil {
        try partReader?.readRows(rows, upTo: end, into: &tile)
      } else {
        try reader.readRows(rows, upTo: end, into: &tile)
      }
      sum(rows)
    } else {
      let start = rows.lowerBound * shape.columns
      for index in 0..<count { tile[index] = held[start + index] }
    }
  }

  /// Reads rows that are no weights, as the source stores them. Ask for the tiles in order.
  mutating func readBytes(_ rows: Range<Int>) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: rows.count * reader.rowByteCount)
    var span = bytes.mutableRawSpan
    try reader.readCodes(rows, into: &span)
    checksum.update(bytes.rawSpan)
    return bytes
  }

  /// The rows that were read last, as the weight's encoding holds them.
  var storedRows: ArraySlice<UInt8> { partReader?.storedRows ?? reader.storedRows }

  /// The planes that follow the codes in the weight's encoding.
  mutating func planes() throws -> (scales: [UInt8], zeroPoints: [UInt8], globalScale: Float?) {
    let (scales, zeroPoints) = (try reader.scaleBytes(), try reader.zeroPointBytes())
    guard let partReader else { return (scales, zeroPoints, try reader.globalScale()) }
    return (partReader.rowsOfPlane(scales), partReader.rowsOfPlane(zeroPoints), nil)
  }

  /// XXH3-64 of each of the source's tensors, by name, once all tiles have been read.
  func checksums() throws -> [String: UInt64] {
    var checksums = try reader.companionChecksums()
    checksums[weight.primary.name] = checksum.value()
    return checksums
  }

  /// What is to be known of the whole weight. Call it before the first tile is read.
  mutating func summary(_ kind: TensorSummary.Kind) throws -> TensorSummary {
    switch kind {
    case .nothing: .nothing
    case .maximum: .maximum(try maximum())
    case .sample: .sample(try sample())
    }
  }

  /// Some rows, read by themselves; they stay out of the checksum.
  private mutating func sample() throws -> TensorSample {
    var sample = TensorSample(rows: shape.rows, columns: shape.columns)
    var row = [Float](repeating: 0, count: shape.columns)
    for index in sample.rows {
      var span = row.mutableSpan
      if partReader != nil {
        try partReader?.readRows(index..<index + 1, into: &span)
      } else {
        try reader.readRows(index..<index + 1, into: &span)
      }
      sample.add(row.span)
    }
    return sample
  }

  /// The largest finite magnitude. Reads the whole weight, and holds it if it is not too large.
  private mutating func maximum() throws -> Float {
    let holds = shape.rows * shape.columns <= Self.heldElementCount
    var whole: [Float] = []
    var buffer = [Float](
      repeating: 0, count: (allTiles.first?.count ?? 0) * shape.columns)
    var maximum: Float = 0
    for rows in allTiles {
      try Interruption.check()
      try read(rows, upTo: shape.rows, into: &buffer)
      let tile = buffer[..<(rows.count * shape.columns)]
      for value in tile where value.magnitude > maximum && value.isFinite {
        maximum = value.magnitude
      }
      if holds { whole += tile }
    }
    held = whole
    return maximum
  }

  /// Adds the bytes that were just read to the checksum, unless a former round has.
  private mutating func sum(_ rows: Range<Int>) {
    guard rows.lowerBound == nextRow else { return }
    let bytes = partReader?.storedRows ?? reader.sourceRows
    checksum.update(bytes.rawSpan)
    nextRow = rows.upperBound
  }
}
