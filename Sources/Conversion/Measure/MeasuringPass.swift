import Quantization
import ReferenceModel
import SourceWeights
import Tensors

/// Receives the rows of a weight, as the source has them and as the output has them: row-major
/// tiles, in order.
struct TileObserver {
  typealias Tile = (
    _ rows: Range<Int>, _ original: Span<Float>, _ delivered: Span<Float>
  ) throws -> Void

  /// Whether the values are looked at. If not, those delivered may be missing.
  let needsValues: Bool
  private let receive: Tile

  init(needsValues: Bool = true, _ receive: @escaping Tile) {
    self.needsValues = needsValues
    self.receive = receive
  }

  func callAsFunction(
    _ rows: Range<Int>, _ original: Span<Float>, _ delivered: Span<Float>
  ) throws {
    try receive(rows, original, delivered)
  }
}

/// Goes through the weights of the units, tile by tile. A conversion makes the output on the way; a
/// verification reads it.
protocol MeasuringPass: Sendable {
  /// Goes through all weights of a unit, in order.
  /// - Parameter observe: what to do with the tiles of each weight, by its index in the unit.
  /// - Returns: the error of each weight.
  func process(
    unit: Int, observe: (_ weight: Int) -> TileObserver
  ) throws -> [ErrorStatistics]

  /// Goes through some tiles of one weight, whatever unit it is in, and leaves no trace.
  /// - Parameter tiles: ranges of rows that start at multiples of the weight's `rowMultiple`.
  func walk(_ weight: PlannedWeight, tiles: [Range<Int>], observe: TileObserver) throws

  /// The elements of a weight that is made of whole numbers, as the source has them; outputs carry
  /// them unchanged.
  func integers(of weight: PlannedWeight) throws -> [Int]
}

extension MeasuringPass {
  /// All values of a small weight, as the source has them and as the output has them.
  func values(of weight: PlannedWeight) throws -> (original: [Float], delivered: [Float]) {
    try weight.checkIsOfWeights()
    var values: (original: [Float], delivered: [Float]) = ([], [])
    let observe = TileObserver { _, original, delivered in
      values.original.append(copying: original)
      values.delivered.append(copying: delivered)
    }
    try walk(weight, tiles: weight.tiles, observe: observe)
    return values
  }

  /// Some rows of a weight, in the order of `rows`. No more is read than the blocks they lie in.
  func rows(_ rows: [Int], of weight: PlannedWeight) throws -> (original: Matrix, delivered: Matrix)
  {
    try weight.checkIsOfWeights()
    let columns = weight.shape.columns
    let distinct = Set(rows).sorted()
    let places = Dictionary(uniqueKeysWithValues: zip(distinct, 0...))
    var values: (original: [Float], delivered: [Float]) = ([], [])
    values.original.reserveCapacity(distinct.count * columns)
    values.delivered.reserveCapacity(distinct.count * columns)
    let multiple = weight.rowMultiple
    let tiles = Set(distinct.map { $0 / multiple }).sorted().map {
      $0 * multiple..<min(($0 + 1) * multiple, weight.shape.rows)
    }
    let observe = TileObserver { tileRows, original, delivered in
      for row in tileRows where places[row] != nil {
        let start = (row - tileRows.lowerBound) * columns
        values.original.append(copying: original.extracting(start..<start + columns))
        values.delivered.append(copying: delivered.extracting(start..<start + columns))
      }
    }
    try walk(weight, tiles: tiles, observe: observe)
    let wanted = rows.compactMap { places[$0] }
    func gathered(_ values: [Float]) -> Matrix {
      Matrix(rows: distinct.count, columns: columns, values: values).gatheredRows(at: wanted)
    }
    return (gathered(values.original), gathered(values.delivered))
  }
}

extension PlannedWeight {
  /// - Throws: `ConversionError.cannotMeasure` for whole numbers, which no observer gets to see.
  func checkIsOfWeights() throws(ConversionError) {
    guard isOfWeights else {
      throw .cannotMeasure(
        reason: "\(source.name) holds whole numbers where weights are wanted; fetch it again, or"
          + " --no-gate")
    }
  }
}
