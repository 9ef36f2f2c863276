internal import Dispatch
import Synchronization
import Tensors

/// input · weightᵀ + bias, for a weight whose rows arrive in tiles.
///
/// Each product goes through all inputs. Where these are many, rows are collected first, so that it
/// happens less often; and with more than one thread, rows are multiplied while the next arrive.
struct TiledProduct: Sendable {
  /// n × k.
  let input: PaddedMatrix
  /// n × m; complete when all m rows of the weight have been added. Without columns before the first
  /// come: to make it takes long where the inputs are many, and it need not be held before.
  private(set) var output: PaddedMatrix
  /// m elements; nil if nothing is added.
  private let bias: [Float]?
  private let threads: Int
  /// How many rows of the weight are yet to come.
  private var missingRowCount: Int
  private var collected: [Float] = []
  private var collectedRows = 0..<0
  /// Products that other threads compute, in the order in which they came, one at a time.
  private var underway: [BackgroundProduct] = []
  private let queue: DispatchQueue?

  /// Up to so many inputs are read again for each tile.
  private static let fewInputs = 64
  /// About how many rows are multiplied at once, and how many elements at the most.
  private static let collectedRowCount = 64
  private static let collectedElementCount = 1_000_000
  /// With one product, whoever brings the rows would wait for one that is nearly done.
  private static let underwayLimit = 4

  /// - Parameter threads: how many threads compute a product together; it changes no bit.
  init(input: PaddedMatrix, outputSize: Int, bias: [Float]?, threads: Int) {
    self.input = input
    output = PaddedMatrix(rows: input.rows, columns: 0)
    self.bias = bias
    self.threads = threads
    queue = threads > 1 ? DispatchQueue(label: "kelter.products") : nil
    missingRowCount = outputSize
  }

  /// The bytes that are held of a weight's rows, those that are collected and those under way, and
  /// of their products.
  /// - Parameters:
  ///   - tileHeight: the most rows that arrive at once.
  ///   - threads: how many threads compute a product together.
  static func heldByteCount(inputs: Int, columns: Int, tileHeight: Int, threads: Int) -> Int {
    guard inputs > fewInputs else { return 0 }
    let rows = max(tileHeight, rowLimit(columns: columns))
    let products = inputs * PaddedMatrix.stride(columns: rows)
    let underway = threads > 1 ? underwayLimit : 0
    return ((1 + underway) * rows * columns + underway * products) * MemoryLayout<Float>.size
  }

  /// How many rows are collected at most, where no tile has more.
  private static func rowLimit(columns: Int) -> Int {
    min(collectedRowCount, collectedElementCount / max(1, columns))
  }

  /// Takes rows of the weight.
  /// - Parameter tile: `rows.count` × k, row-major.
  mutating func add(tile: Span<Float>, rows: Range<Int>) {
    precondition(tile.count == rows.count * input.columns)
    if output.columns == 0 { output = PaddedMatrix(rows: input.rows, columns: missingRowCount) }
    missingRowCount -= rows.count
    guard input.rows > Self.fewInputs else {
      MatrixProduct.multiply(input, byTransposed: tile, into: &output, columns: rows)
      addBias(to: rows)
      return
    }
    let rowLimit = Self.rowLimit(columns: input.columns)
    let isNext = rows.lowerBound == collectedRows.upperBound
    if !isNext || collectedRows.count + rows.count > rowLimit { multiplyCollected() }
    if collectedRows.isEmpty {
      collectedRows = rows.lowerBound..<rows.lowerBound
      collected.reserveCapacity(max(rowLimit, rows.count) * input.columns)
    }
    collected.append(copying: tile)
    collectedRows = collectedRows.lowerBound..<rows.upperBound
    if missingRowCount == 0 {
      multiplyCollected()
      finishUnderway(downTo: 0)
    }
  }

  private mutating func multiplyCollected() {
    guard !collectedRows.isEmpty else { return }
    let tile = collected
    collected = []
    if let queue {
      finishUnderway(downTo: Self.underwayLimit - 1)
      underway.append(
        BackgroundProduct(
          of: input, with: tile, rows: collectedRows, threads: threads, on: queue))
    } else {
      MatrixProduct.multiply(
        input, byTransposed: tile.span, into: &output, columns: collectedRows)
      addBias(to: collectedRows)
    }
    collectedRows = collectedRows.upperBound..<collectedRows.upperBound
  }

  /// Waits for the first products, until no more than `count` are left.
  private mutating func finishUnderway(downTo count: Int) {
    while underway.count > count {
      let product = underway.removeFirst().wait()
      output.setColumns(product.rows, to: product.output)
      addBias(to: product.rows)
    }
  }

  private mutating func addBias(to columns: Range<Int>) {
    guard let bias else { return }
    let stride = output.stride
    for row in 0..<output.rows {
      for column in columns { output.values[row * stride + column] += bias[column] }
    }
  }
}

/// A product that other threads compute.
private final class BackgroundProduct: Sendable {
  private let rows: Range<Int>
  private let output: Mutex<PaddedMatrix>
  private let group = DispatchGroup()

  init(
    of input: PaddedMatrix, with tile: [Float], rows: Range<Int>, threads: Int,
    on queue: DispatchQueue
  ) {
    self.rows = rows
    output = Mutex(PaddedMatrix(rows: input.rows, columns: rows.count))
    queue.async(group: group) { [self] in
      output.withLock {
        MatrixProduct.multiply(
          input, byTransposed: tile.span, into: &$0, columns: 0..<rows.count, threads: threads)
      }
    }
  }

  /// Waits for the product: a column for each of the rows.
  func wait() -> (rows: Range<Int>, output: PaddedMatrix) {
    group.wait()
    return (rows, output.withLock { $0 })
  }
}
