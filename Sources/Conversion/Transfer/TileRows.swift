import Bytes
import Quantization

/// How a weight is cut into tiles of rows.
enum TileRows {
  /// A tile holds about this many weights: two tiles of Float32 fit into a processor's larger cache.
  static let elementCount = 1 << 19

  /// The rows of each tile of a weight, in order. All but the last are a multiple of what quantizers
  /// need.
  static func tiles(rows: Int, columns: Int) -> [Range<Int>] {
    let count = height(columns: columns)
    return stride(from: 0, to: rows, by: count).map { $0..<min(rows, $0 + count) }
  }

  /// The number of rows of a full tile.
  static func height(columns: Int) -> Int {
    // The largest that a scheme's `tileRowMultiple` is.
    let multiple = 128
    return max(1, elementCount / max(1, columns) / multiple) * multiple
  }
}
