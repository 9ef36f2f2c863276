import ArgumentParser
import Checkpoints
import Conversion
import SystemPackage
import Validation

struct TensorsCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "tensors",
    abstract: "List the tensors of any weight file or folder, whatever model it holds.")

  @Argument(
    help: """
      A folder, or one file: .safetensors, PyTorch's .bin, .pt and .pth, .gguf, NumPy's .npz and \
      .npy.
      """)
  var path: FilePath

  @Flag(
    help: """
      Read all values, and give the XXH3-64 of each tensor's bytes, row-major and little-endian.
      """)
  var checksums = false

  @OptionGroup var output: OutputOptions

  func run() throws {
    let list = try TensorList(
      checkpoint: Checkpoint(named: path), checksums: checksums)
    try show(list) { text(list) }
  }

  private func text(_ list: TensorList) -> String {
    var columns: [(heading: String, alignment: TextTable.Alignment)] = [
      ("tensor", .left), ("dtype", .left), ("shape", .left), ("size", .right),
    ]
    if checksums { columns.append(("XXH3-64", .left)) }
    var table = TextTable(columns)
    for tensor in list.tensors {
      let shape = tensor.shape.map(String.init).joined(separator: " × ")
      table.add(
        [tensor.name, tensor.dtype, shape, Figures.bytes(tensor.bytes)]
          + (tensor.checksum.map { [$0] } ?? []))
    }
    let notRead =
      list.notRead.isEmpty ? "" : "\nnot read: \(list.notRead.joined(separator: ", "))\n"
    return table.text() + notRead
  }
}
