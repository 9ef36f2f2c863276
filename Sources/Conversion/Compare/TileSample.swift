import ModelFamilies
import Quantization
import ReferenceModel
import SourceWeights
import Tensors

/// A sample of the rows of many matrices, to estimate on it what a scheme loses: tiles of whole
/// rows, drawn from strata of matrices that are alike. The same for the same arguments.
struct TileSample: Sendable {
  /// Rows of a matrix.
  struct Tile: Sendable, Equatable {
    /// The index in `source.matrices`.
    let matrix: Int
    let rows: Range<Int>
  }

  /// Matrices of one role that are stored in one way and that the same rule decides on, or none.
  struct Stratum: Sendable {
    /// The number of elements of all its matrices.
    let elementCount: Int
    /// The number of tiles of all its matrices.
    let tileCount: Int
    /// Those that were drawn, in the order of layers, experts and rows.
    let tiles: [Tile]
  }

  let strata: [Stratum]
  /// The number of elements of all matrices.
  let elementCount: Int
  /// The number of elements that were drawn.
  let sampledElementCount: Int

  /// The rows of a tile: the largest that a scheme's `tileRowMultiple` is, so that no block reaches
  /// over several.
  static let tileRowCount = 128

  /// Draws tiles of the matrices that get `options.scheme` or one that the recipe names; those that
  /// are kept are not among them.
  ///
  /// Each stratum gets tiles by its share of the elements, two at least: so its tiles, in the order
  /// of layers, experts and rows, are cut into as many runs of equal length, and one is drawn from
  /// each.
  /// - Parameters:
  ///   - elementCount: about how many elements to draw. If there are no more, all are taken.
  /// - Throws: `ConversionError.schemeDoesNotFit`.
  init(source: Source, options: ConversionOptions, elementCount budget: Int, seed: UInt64) throws {
    let groups = try Self.groups(of: source, options: options)
    let total = groups.joined().reduce(0) { $0 + source.matrices[$1].shape.elementCount }
    elementCount = total

    var generator = SplitMix64(seed: seed)
    strata = groups.map { members in
      // The first tile of each matrix, counted through all of them, and the count at the end.
      var firsts = [0]
      var elementCount = 0
      for index in members {
        let shape = source.matrices[index].shape
        elementCount += shape.elementCount
        firsts.append(firsts[firsts.count - 1] + Self.tiles(ofRows: shape.rows))
      }
      let tileCount = firsts[firsts.count - 1]
      let share = Double(budget) * Double(tileCount) / Double(max(1, total))
      let drawnCount = min(tileCount, max(2, Int(min(share, Double(tileCount)))))

      var tiles: [Tile] = []
      var place = 0
      for run in 0..<drawnCount {
        let run = run * tileCount / drawnCount..<(run + 1) * tileCount / drawnCount
        let tile = Int.random(in: run, using: &generator)
        while firsts[place + 1] <= tile { place += 1 }
        let rowCount = source.matrices[members[place]].shape.rows
        let row = (tile - firsts[place]) * Self.tileRowCount
        tiles.append(
          Tile(matrix: members[place], rows: row..<min(rowCount, row + Self.tileRowCount)))
      }
      return Stratum(elementCount: elementCount, tileCount: tileCount, tiles: tiles)
    }
    sampledElementCount = strata.lazy.flatMap(\.tiles).reduce(0) {
      $0 + $1.rows.count * source.matrices[$1.matrix].shape.columns
    }
  }

  private static func tiles(ofRows count: Int) -> Int {
    count / tileRowCount + (count % tileRowCount == 0 ? 0 : 1)
  }

  /// What the matrices of a stratum have in common.
  private struct Kind: Hashable {
    let role: TensorRole
    let encoding: SourceEncoding
    let isSeparable: Bool
    let scheme: Scheme
  }

  /// The matrices of each stratum, as indices in `source.matrices`, by layer and expert.
  private static func groups(of source: Source, options: ConversionOptions) throws -> [[Int]] {
    let matrices = source.matrices
    let order = matrices.indices.sorted {
      let (a, b) = (matrices[$0].place, matrices[$1].place)
      return (a.layer ?? -1, a.expert ?? -1, $0) < (b.layer ?? -1, b.expert ?? -1, $1)
    }
    var places: [Kind: Int] = [:]
    var groups: [[Int]] = []
    for index in order where matrices[index].shape.elementCount > 0 {
      let matrix = matrices[index]
      let (scheme, _) = try PlannedWeight.fate(
        of: matrix.source, part: matrix.part, role: matrix.place.role, options: options)
      guard scheme != .keep else { continue }
      let kind = Kind(
        role: matrix.place.role, encoding: matrix.source.encoding,
        isSeparable: matrix.part.map { PartReader.isSeparable($0.part, of: matrix.source) } ?? true,
        scheme: scheme)
      if let place = places[kind] {
        groups[place].append(index)
      } else {
        places[kind] = groups.count
        groups.append([index])
      }
    }
    return groups
  }
}
