import Bytes
import Container
import Tensors

/// A tensor of an export: one of the container, or several that the source held in one.
struct ExportTensor {
  /// A tensor of the container, and where its matrix lies in the source's.
  struct Piece {
    let tensor: ContainedTensor
    let part: WeightPart
  }

  let name: String
  let shape: Shape
  let dtype: DType
  /// The whole tensor; nil for one that is put together.
  let whole: ContainedTensor?
  /// What it is put together from, matrix after matrix.
  let matrices: [[Piece]]

  var byteCount: Int { shape.byteCount(of: dtype) ?? 0 }

  /// The tensors of a container, in their order.
  /// - Throws: `ConversionError.cannotReassemble` if parts are missing or contradict what the
  ///   container says of the tensor that held them.
  static func all(of reader: ContainerReader, format: ExportFormat) throws -> [ExportTensor] {
    let fused = Dictionary(
      (try reader.metadata()["fused"]?.array ?? []).compactMap(FusedTensor.init).map {
        ($0.name, $0)
      }, uniquingKeysWith: { first, _ in first })
    var tensors: [ExportTensor] = []
    var pieces: [String: [ContainedTensor]] = [:]
    for tensor in try reader.allTensors() {
      guard let layout = fused[tensor.name] else {
        tensors.append(
          ExportTensor(
            name: tensor.name, shape: tensor.shape, dtype: format.dtype(of: tensor), whole: tensor,
            matrices: []))
        continue
      }
      pieces[tensor.name, default: []].append(tensor)
      let count = layout.shape.rows / layout.matrixRowCount * layout.firstOutputs.count
      if pieces[tensor.name]?.count == count {
        tensors.append(
          try ExportTensor(layout, pieces.removeValue(forKey: tensor.name) ?? [], format: format))
      }
    }
    if let name = pieces.keys.min() { throw ConversionError.cannotReassemble(tensor: name) }
    return tensors
  }

  private init(
    _ layout: FusedTensor, _ tensors: [ContainedTensor], format: ExportFormat
  ) throws(ConversionError) {
    var matrices: [Int: [Piece]] = [:]
    for tensor in tensors {
      guard tensor.part < layout.firstOutputs.count else {
        throw .cannotReassemble(tensor: layout.name)
      }
      let part = layout.part(tensor.part, expert: tensor.expert)
      guard part.storedRows.upperBound <= layout.shape.rows,
        part.shape(columns: layout.shape.columns) == tensor.shape
      else { throw .cannotReassemble(tensor: layout.name) }
      matrices[part.storedRows.lowerBound, default: []].append(Piece(tensor: tensor, part: part))
    }
    self.init(
      name: layout.name, shape: layout.shape, dtype: tensors.first.map(format.dtype) ?? .f32,
      whole: nil, matrices: matrices.sorted { $0.key < $1.key }.map(\.value))
  }

  private init(
    name: String, shape: Shape, dtype: DType, whole: ContainedTensor?, matrices: [[Piece]]
  ) {
    self.name = name
    self.shape = shape
    self.dtype = dtype
    self.whole = whole
    self.matrices = matrices
  }
}

extension ExportTensor {
  /// Puts a stored matrix together, as the source had it.
  /// - Parameter write: receives the matrix's elements and its first row.
  func assemble(
    _ reader: ContainerReader, _ write: (_ values: [Float], _ row: Int) throws -> Void
  ) throws {
    for pieces in matrices {
      guard let stored = pieces.first?.part.storedRows else { continue }
      var matrix = [Float](repeating: 0, count: stored.count * shape.columns)
      for piece in pieces {
        let (part, columns) = (piece.part, piece.tensor.shape.columns)
        var rows = try ContainedRows(tensor: piece.tensor, reader: reader)
        let tiles = TileRows.tiles(
          rows: part.outputCount, columns: columns, multiple: piece.tensor.rowMultiple)
        var values = [Float](repeating: 0, count: (tiles.map(\.count).max() ?? 0) * columns)
        for tile in tiles {
          try Interruption.check()
          var span = values.mutableSpan
          var target = span.slice(0..<tile.count * columns)
          try rows.read(tile, into: &target)
          for row in tile {
            let output = part.firstOutput + row * part.outputStride
            let from = (row - tile.lowerBound) * columns
            for column in 0..<columns {
              let place =
                part.isTransposed
                ? column * shape.columns + output : output * shape.columns + column
              matrix[place] = values[from + column]
            }
          }
        }
      }
      try write(matrix, stored.lowerBound)
    }
  }
}
