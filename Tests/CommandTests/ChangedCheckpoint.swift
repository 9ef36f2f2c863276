import Bytes
import Checkpoints
import FixtureSupport
import Foundation
import SystemPackage
import Tensors

/// A tensor of a checkpoint that a test changes.
struct ChangeableTensor {
  var name: String
  var dtype: String
  var shape: [Int]
  var bytes: [UInt8]
}

/// Writes a fixture anew as one file, with other tensors.
func changeTensors(
  of fixture: String, to folder: FilePath, _ change: (inout [ChangeableTensor]) throws -> Void
) throws -> FilePath {
  let path = folder.appending("changed")
  try FileManager.default.createDirectory(
    atPath: path.string, withIntermediateDirectories: true)
  let checkpoint = try Checkpoint(path: Fixtures.path(fixture))
  var tensors = try checkpoint.tensors.map {
    ChangeableTensor(
      name: $0.name, dtype: $0.dtype.rawValue, shape: $0.shape.dimensions,
      bytes: try checkpoint.bytes(of: $0))
  }
  try change(&tensors)
  try writeFile(
    "model.safetensors", in: path,
    SafetensorsBytes.file(tensors.map { ($0.name, $0.dtype, $0.shape, $0.bytes) }))
  try writeFile("config.json", in: path, contents(Fixtures.path(fixture + "/config.json")))
  return path
}

/// Changes the config of a copied fixture.
func changeConfig(of folder: FilePath, _ change: (inout [String: Any]) -> Void) throws {
  let path = folder.appending("config.json")
  let parsed = try JSONSerialization.jsonObject(with: Data(contents(path)))
  var config = parsed as? [String: Any] ?? [:]
  change(&config)
  try writeFile(path, Array(JSONSerialization.data(withJSONObject: config)))
}

extension [ChangeableTensor] {
  /// The first tensor whose name ends so.
  func place(ofSuffix suffix: String) -> Int {
    firstIndex { $0.name.hasSuffix(suffix) }!
  }
}
