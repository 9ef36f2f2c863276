import Bytes
import FixtureSupport
import Foundation
import SystemPackage
import Testing

/// `--importance`: what it changes, and what is refused.
@Suite struct ImportanceCommandTests {
  static let tensor = "model.layers.1.mlp.experts.0.gate_proj.weight"

  /// A safetensors file with one vector of F32.
  static func write(_ values: [Float], name: String = tensor, to path: FilePath) throws {
    var bytes: [UInt8] = []
    for value in values { bytes.appendLittleEndian(value.bitPattern) }
    try writeFile(path, SafetensorsBytes.file([(name, "F32", [values.count], bytes)]))
  }

  static func convert(_ folder: FilePath, _ output: String, importance: String?) throws
    -> CommandRun
  {
    var arguments = [
      "convert", Fixtures.path("trained").string, "-o", output, "--scheme", "int4-g64", "--no-gate",
    ]
    if let importance { arguments += ["--importance", importance] }
    return try CommandRun(arguments, folder: folder)
  }

  @Test func changesWhatItNames() throws {
    try withTemporaryFolder { folder in
      let columns = 128
      try Self.write(
        (0..<columns).map { $0 % 8 == 0 ? 50 : 0.5 }, to: folder.appending("w.safetensors"))
      try Self.write(
        [Float](repeating: 3, count: columns), to: folder.appending("ones.safetensors"))
      let weighed = try Self.convert(folder, "w.kelter", importance: "w.safetensors")
      #expect(weighed.exitCode == 0, "\(weighed.errors)")
      #expect(weighed.output.replacing("\n", with: " ").contains("given for 1 of 84"))
      for (name, importance) in [("again", "w.safetensors"), ("ones", "ones.safetensors")] {
        let run = try Self.convert(folder, name + ".kelter", importance: importance)
        #expect(run.exitCode == 0, "\(run.errors)")
      }
      func bytes(_ name: String) throws -> Data {
        try Data(contentsOf: URL(filePath: folder.appending(name + ".kelter").string))
      }
      #expect(try bytes("w") == bytes("again"))
      #expect(try bytes("w") != bytes("ones"))
    }
  }

  @Test(arguments: [
    ([1, 2] as [Float], tensor, "2 numbers for 128 columns"),
    ([Float](repeating: -1, count: 128), tensor, "element 0 is negative"),
    ([Float](repeating: .nan, count: 128), tensor, "element 0 is negative"),
    ([Float](repeating: .infinity, count: 128), tensor, "element 0 is negative"),
    ([Float](repeating: 1, count: 128), "model.layers.1.mlp.gate.weight", "is no tensor that is"),
  ])
  func isRefused(values: [Float], name: String, reason: String) throws {
    try withTemporaryFolder { folder in
      try Self.write(values, name: name, to: folder.appending("w.safetensors"))
      let run = try Self.convert(folder, "w.kelter", importance: "w.safetensors")
      #expect(run.exitCode == 64)
      #expect(run.errors.contains(reason), "\(run.errors)")
      #expect(run.errors.split(separator: "\n").count == 1)
    }
  }
}
