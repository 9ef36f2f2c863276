import Bytes
import Container
import Quantization
import SystemPackage
import Tensors

/// A container of a tensor of every scheme with tables of levels.
/// `fixtures/container/tables.kelter` is what it writes.
enum TableContainer {
  static let schemes = Scheme.allCases.filter { $0.format?.tableCount ?? 0 > 0 }

  /// Rows of a whole super-block and one of 44 columns: with groups of 16 and of 32 that are
  /// partial, as is the last chunk of 32 codes.
  static let matrix = Shape(rows: 3, columns: 300)

  @discardableResult
  static func write(to path: FilePath) throws -> ContainerPlan {
    let tensors = schemes.map {
      PlannedTensor(
        name: "weights.\($0.rawValue)", sourceDType: .bf16, shape: matrix, role: "mlp.gate",
        layer: 0, scheme: $0.rawValue, encoding: .quantized($0.format!))
    }
    let plan = try ContainerPlan(
      extents: [PlannedExtent(kind: .tensors, tensors: tensors)], files: [], sources: [],
      metadata: .object(["scheme": .string("lut4-g16")]), sha256: false)
    let writer = try ContainerWriter(path: path, plan: plan, replacing: true)
    try TinyContainer.write(0, of: writer)
    try writer.publish()
    return plan
  }
}
