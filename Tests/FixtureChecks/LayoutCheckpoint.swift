package import Checkpoints
import FixtureSupport
package import SourceWeights

/// Reads a whole weight, tile by tile.
package func decode(
  _ weight: SourceWeight, _ checkpoint: Checkpoint, tileRows: Int
) throws -> [Float] {
  var reader = WeightReader(weight: weight, checkpoint: checkpoint)
  var values: [Float] = []
  for start in stride(from: 0, to: weight.rows, by: tileRows) {
    let rows = start..<min(weight.rows, start + tileRows)
    var tile = [Float](repeating: .nan, count: rows.count * weight.columns)
    var span = tile.mutableSpan
    try reader.readRows(rows, into: &span)
    values += tile
  }
  return values
}

/// A folder with one file of these tensors and a configuration, FP8 with blocks of 128×128 unless
/// told otherwise; gone after `body`.
package func withCheckpoint(
  _ tensors: [(name: String, dtype: String, shape: [Int], bytes: [UInt8])],
  config: String =
    #"{"quantization_config":{"quant_method":"fp8","fmt":"e4m3","weight_block_size":[128,128]}}"#,
  _ body: (Checkpoint) throws -> Void
) throws {
  try withTemporaryFolder { folder in
    try writeFile("model.safetensors", in: folder, SafetensorsBytes.file(tensors))
    if !config.isEmpty { try writeFile("config.json", in: folder, Array(config.utf8)) }
    try body(try Checkpoint(path: folder))
  }
}
