/// Some weights of a tensor, whole super-blocks at fixed distances: the same for any number of
/// threads and division into tiles. Tables of levels are learned from it.
public struct TensorSample: Sendable {
  /// The rows to be added, in ascending order.
  public let rows: [Int]
  /// Stretches of a row, each as long as a super-block or a whole row that is shorter.
  let pieceColumns: Int
  private(set) var values: [Float] = []
  /// The first column of each piece of `values`.
  private(set) var starts: [Int] = []
  private let piecesInRow: Int
  private let sampledPiecesInRow: Int

  /// No more weights than these are wanted, and no more than a 32nd of a large tensor.
  private static let elementCount = 1 << 16
  /// Tensors of no more pieces are taken whole.
  private static let leastPieceCount = 64
  /// Pieces come from this many rows, and from more only where rows are short.
  private static let rowCount = 64
  private static let largestRowCount = 512

  /// A sample of a tensor, still to be filled row by row.
  /// - Precondition: the sides are not negative.
  public init(rows rowCount: Int, columns: Int) {
    precondition(rowCount >= 0 && columns >= 0)
    let size = QuantizationFormat.superBlockColumns
    pieceColumns = min(columns, size)
    piecesInRow = max(1, columns / size)
    guard rowCount > 0, columns > 0 else {
      rows = []
      sampledPiecesInRow = 0
      return
    }
    let wanted = max(
      Self.leastPieceCount,
      min(Self.elementCount / pieceColumns, rowCount * piecesInRow / 32))
    let needed = (wanted + piecesInRow - 1) / piecesInRow
    let sampled = min(rowCount, min(max(Self.rowCount, needed), Self.largestRowCount))
    rows = (0..<sampled).map { $0 * rowCount / sampled }
    sampledPiecesInRow = min(piecesInRow, (wanted + sampled - 1) / sampled)
  }

  /// Adds pieces of the next of `rows`.
  /// - Parameter row: all columns.
  public mutating func add(_ row: Span<Float>) {
    let index = starts.count / max(1, sampledPiecesInRow)
    for piece in 0..<sampledPiecesInRow {
      // From row to row the pieces move on.
      let place = (piece * piecesInRow / sampledPiecesInRow + index) % piecesInRow
      starts.append(place * pieceColumns)
      for column in 0..<pieceColumns { values.append(row[place * pieceColumns + column]) }
    }
  }
}
