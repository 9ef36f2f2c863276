import Bytes
import Quantization
import Tensors

/// How a weight is cut into tiles of rows.
enum TileRows {
  /// A tile holds about this many weights: what it is made of and what becomes of it stay in a
  /// processor's second cache from the reading to the last look.
  static let elementCount = 1 << 16

  /// Products of matrices take so many rows at a time best, as they go through all inputs for each tile;
  /// up to so many are taken for their sake, in tiles of up to eight times that size.
  private static let productRowCount = 16

  /// The rows of each tile of a weight, in order.
  /// - Parameter multiple: tiles start at rows that are a multiple of this.
  static func tiles(rows: Int, columns: Int, multiple: Int = 1) -> [Range<Int>] {
    let count = height(columns: columns, multiple: multiple)
    return stride(from: 0, to: rows, by: count).map { $0..<min(rows, $0 + count) }
  }

  /// The number of rows of a full tile.
  static func height(columns: Int, multiple: Int = 1) -> Int {
    let fitting = elementCount / max(1, columns)
    let rows = max(1, fitting, min(productRowCount, 8 * fitting))
    let step = max(multiple, rows < productRowCount ? 1 : productRowCount)
    // `multiple` is 1 or a block's height; it comes before what products like.
    return max(multiple, rows / step * step / multiple * multiple)
  }
}

extension PlannedWeight {
  /// Its tiles, in order.
  var tiles: [Range<Int>] {
    TileRows.tiles(rows: shape.rows, columns: shape.columns, multiple: rowMultiple)
  }

  /// The number of rows of its largest tile.
  var tileHeight: Int {
    min(shape.rows, TileRows.height(columns: shape.columns, multiple: rowMultiple))
  }
}
