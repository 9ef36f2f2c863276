/// Columns of text under headings, aligned for a terminal.
struct TextTable {
  enum Alignment { case left, right }

  private let alignments: [Alignment]
  private var rows: [[String]]

  init(_ columns: [(heading: String, alignment: Alignment)]) {
    alignments = columns.map(\.alignment)
    rows = [columns.map(\.heading)]
  }

  mutating func add(_ cells: [String]) {
    rows.append(cells.map(\.onOneLine))
  }

  /// The width of a terminal that nobody has widened.
  static let terminalWidth = 80

  /// The table, a line per row, with a rule under the headings.
  /// - Parameter width: what a line may take. The cells of the widest column of text are broken
  ///   where that is needed, but not into pieces of less than 16.
  func text(indent: Int = 0, width: Int = .max) -> String {
    var rows = rows
    var widths = alignments.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let excess = widths.reduce(indent + 2 * (widths.count - 1), +) - width
    let widest = widths.indices.filter { alignments[$0] == .left }.max { widths[$0] < widths[$1] }
    if excess > 0, let widest, widths[widest] > 16 {
      widths[widest] = max(16, widths[widest] - excess)
      rows = rows.flatMap { row in
        row[widest].pieces(of: widths[widest]).enumerated().map { index, piece in
          row.indices.map { $0 == widest ? piece : index == 0 ? row[$0] : "" }
        }
      }
    }
    func line(_ cells: [String]) -> String {
      var line = String(repeating: " ", count: indent)
      for (column, cell) in cells.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        line += alignments[column] == .left ? cell + padding : padding + cell
        if column < cells.count - 1 { line += "  " }
      }
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }
    let rule = line(widths.map { String(repeating: "─", count: $0) })
    return line(rows[0]) + rule + rows.dropFirst().map(line).joined()
  }
}

extension String {
  /// The text in pieces of at most so many characters, broken behind a space, a point or a slash
  /// where there is one in the second half of the piece.
  fileprivate func pieces(of count: Int) -> [String] {
    var pieces: [String] = []
    var rest = self[...]
    while rest.count > count {
      let line = rest.prefix(count)
      let end = line.lastIndex { " ./".contains($0) }.map { line.index(after: $0) }
      let isLate = end.map { line.distance(from: line.startIndex, to: $0) > count / 2 } ?? false
      let piece = rest[..<(isLate ? end ?? line.endIndex : line.endIndex)]
      pieces.append(String(piece))
      rest = rest[piece.endIndex...]
    }
    return pieces + [String(rest)]
  }
}
