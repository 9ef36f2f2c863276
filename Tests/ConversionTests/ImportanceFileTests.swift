import Bytes
import Conversion
import FixtureSupport
import Foundation
import Quantization
import SystemPackage
import Testing
import Validation

/// Files of importance between the time when they are checked and the time when they are used.
@Suite struct ImportanceFileTests {
  static let tensor = "model.layers.1.block_sparse_moe.experts.2.w1.weight"
  static let columns = 128

  /// Writes a vector of one tensor.
  static func write(_ values: [Float], to path: FilePath) throws {
    var bytes: [UInt8] = []
    for value in values { bytes.appendLittleEndian(value.bitPattern) }
    try writeFile(path, SafetensorsBytes.file([(tensor, "F32", [values.count], bytes)]))
  }

  /// No NaN gets in behind the check.
  @Test(arguments: [2, .nan, -1] as [Float])
  func changesUnderTheRun(value: Float) throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("w.safetensors")
      try Self.write([Float](repeating: 1, count: Self.columns), to: path)
      var options = ConversionOptions(scheme: .int4G32)
      options.gate = false
      options.importance = try Importance(path: path)
      let plan = try ConversionPlan(
        source: Source(path: Fixtures.path("mixtral")), options: options)
      try Self.write([Float](repeating: 1, count: Self.columns - 1) + [value], to: path)
      let error = failure { _ = try plan.convert(to: folder.appending("out.kelter")) }
      #expect(error?.kind == .invalidInput)
      #expect(error?.description.contains("w.safetensors: has changed") == true, "\(error as Any)")
      #expect(!exists(folder.appending("out.kelter")))
    }
  }

  @Test func anotherFileIsRefusedWhenGoingOn() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("w.safetensors")
      let values = (0..<Self.columns).map { Float($0 % 7) }
      try Self.write(values, to: path)
      let stopped = try StoppedConversion("mixtral", scheme: .int4G32, in: folder) {
        $0.search = .full
        $0.importance = try? Importance(path: path)
        #expect($0.importance?.count == 1)
      }
      try stopped.expectRefusal(.cannotCreate, naming: "--importance has changed") {
        $0.importance = nil
      }
      try Self.write(values.reversed(), to: path)
      try stopped.expectRefusal(.cannotCreate, naming: "--importance has changed") {
        $0.importance = try Importance(path: path)
      }
      try Self.write(values, to: path)
      try stopped.finish { $0.importance = try Importance(path: path) }
    }
  }

  /// An expert that no input reached has zeros, which say nothing of its columns.
  @Test func zerosAreNoImportance() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("w.safetensors")
      try Self.write([Float](repeating: 0, count: Self.columns), to: path)
      var options = ConversionOptions(scheme: .int4G32)
      options.gate = false
      let plain = try StoppedConversion.plan(Fixtures.path("mixtral"), options)
        .convert(to: folder.appending("plain.kelter"))
      options.importance = try Importance(path: path)
      let weighed = try StoppedConversion.plan(Fixtures.path("mixtral"), options)
        .convert(to: folder.appending("weighed.kelter"))
      #expect(weighed.weights == plain.weights)
      #expect(weighed.notes.contains { $0.contains("1 are all zeros") })
    }
  }
}
