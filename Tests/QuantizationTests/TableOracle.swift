import CKernels
import Quantization

/// Indices into tables, read from their bytes as formats/quantization.md tells, and judged in
/// Float64. It shares nothing with the kernels.
struct TableOracle {
  let rows: Int
  let columns: Int
  let levelCount: Int
  let groupColumns: Int
  let globalScale: Float
  /// The levels of each table.
  let tables: [[Int]]

  init(_ format: QuantizationFormat, rows: Int, columns: Int, levels: [Int8], globalScale: Float) {
    let levelCount = format.code.levelCount!
    self.rows = rows
    self.columns = columns
    self.levelCount = levelCount
    groupColumns = format.blockColumns!
    self.globalScale = globalScale
    tables = (0..<format.tableCount).map { table in
      levels[table * levelCount..<(table + 1) * levelCount].map(Int.init)
    }
  }

  /// What the bytes say of a group.
  struct Group {
    var row: Int
    var columns: Range<Int>
    var superScale: Float
    var step: Int
    var table: Int
  }

  /// A number of some bits of a string of bytes, the lowest bit first.
  static func bits(_ bytes: ArraySlice<UInt8>, from start: Int, count: Int) -> Int {
    (0..<count).reduce(0) { number, i in
      let bit = start + i
      return number | Int(bytes[bytes.startIndex + bit / 8] >> (bit % 8) & 1) << i
    }
  }

  func groups(scales: [UInt8]) -> [Group] {
    var groups = [Group]()
    var rest = scales[...]
    for row in 0..<rows {
      for start in stride(from: 0, to: columns, by: 256) {
        let end = min(columns, start + 256)
        let starts = Array(stride(from: start, to: end, by: groupColumns))
        let stepBytes = (6 * starts.count + 7) / 8
        let tableBytes = tables.count == 2 ? (starts.count + 7) / 8 : 0
        let record = rest.prefix((2 + stepBytes + tableBytes + 1) / 2 * 2)
        rest = rest.dropFirst(record.count)
        let half = Float16(bitPattern: UInt16(Self.bits(record, from: 0, count: 16)))
        for (index, column) in starts.enumerated() {
          let step = Self.bits(record, from: 16 + 6 * index, count: 6)
          let table =
            tables.count == 2
            ? Self.bits(record, from: 16 + 8 * stepBytes + index, count: 1) : 0
          groups.append(
            Group(
              row: row, columns: column..<min(end, column + groupColumns),
              superScale: Float(half), step: step < 32 ? step : step - 64, table: table))
        }
      }
    }
    return groups
  }

  /// The indices of all weights, row after row.
  func indices(codes: [UInt8]) -> [Int] {
    var indices = [Int]()
    var rest = codes[...]
    for _ in 0..<rows {
      for start in stride(from: 0, to: columns, by: 32) {
        let n = min(32, columns - start)
        let (half, quarter) = ((n + 1) / 2, (n + 3) / 4)
        let chunk = rest.prefix(levelCount == 16 ? half : quarter + (n + 7) / 8)
        rest = rest.dropFirst(chunk.count)
        for i in 0..<n {
          indices.append(
            levelCount == 16
              ? Self.bits(chunk, from: 8 * (i % half) + 4 * (i / half), count: 4)
              : Self.bits(chunk, from: 8 * (i % quarter) + 2 * (i / quarter), count: 2)
                + 4 * Self.bits(chunk, from: 8 * quarter + i, count: 1))
        }
      }
    }
    return indices
  }

  /// What planes stand for.
  func values(codes: [UInt8], scales: [UInt8]) -> [Float] {
    let indices = indices(codes: codes)
    var values = [Float]()
    for group in groups(scales: scales) {
      for column in group.columns {
        let level = tables[group.table][indices[group.row * columns + column]]
        values.append(Float(level) * (Float(group.step) * (group.superScale * globalScale)))
      }
    }
    return values
  }

  /// The least squared error of a group over all steps and tables, each weight at the nearest of
  /// all levels.
  func leastError(of weights: ArraySlice<Float>, superScale: Float) -> Double {
    var leastError = Double.infinity
    for table in tables {
      for step in -32...31 {
        let scale = Double(step) * Double(superScale) * Double(globalScale)
        let values = table.map { Double($0) * scale }
        var error = 0.0
        for weight in weights {
          var least = Double.infinity
          for value in values { least = min(least, abs(Double(weight) - value)) }
          error += least * least
        }
        leastError = min(leastError, error)
      }
    }
    return leastError
  }

  static func squaredError(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
    zip(a, b).reduce(0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }
  }
}
