import Bytes
import Checkpoints
import FixtureSupport
import SystemPackage
import Tensors
import Testing

/// Agreement with the package safetensors of Hugging Face (fixtures/safetensors).
struct ReferenceTests {
  @Test func acceptsAndRefusesTheSameFiles() throws {
    let path = Fixtures.path("safetensors/verdicts.json")
    let verdicts = try #require(try JSONValue(parsing: try contents(path), file: path).array)
    #expect(verdicts.count > 30)
    for verdict in verdicts {
      let header = try #require(verdict["header"]?.string)
      let bytes = SafetensorsBytes.file(
        header: header, dataByteCount: try #require(verdict["data_byte_count"]?.int))
      let file = try? SafetensorsFile(
        header: bytes.rawSpan, path: "x.safetensors", byteCount: bytes.count)
      let isAccepted = file != nil
      #expect(isAccepted == verdict["accepted"]?.bool, "\(header)")
    }
  }

  @Test func writesTheSameBytes() throws {
    let reference = Fixtures.path("safetensors/reference.safetensors")
    let checkpoint = try Checkpoint(path: reference)
    #expect(checkpoint.tensors.count == 9)
    let tensors = checkpoint.tensors.map {
      SafetensorsWriter.Tensor(name: $0.name, dtype: $0.dtype, shape: $0.shape)
    }
    try withTemporaryFolder { folder in
      let path = folder.appending("copy.safetensors")
      let file = try AtomicFile(path: path, replacing: false)
      let writer = try SafetensorsWriter(
        file: file, tensors: tensors.reversed(), metadata: ["format": "pt"])
      for tensor in checkpoint.tensors {
        let bytes = try checkpoint.bytes(of: tensor)
        // In two pieces, the second first.
        let half = bytes.count / 2
        try writer.write(Array(bytes[half...]).rawSpan, of: tensor.name, at: half)
        try writer.write(Array(bytes[..<half]).rawSpan, of: tensor.name, at: 0)
      }
      try writer.publish()
      #expect(try contents(path) == contents(reference))
      let byteCount = try SafetensorsWriter.byteCount(tensors: tensors, metadata: ["format": "pt"])
      #expect(try contents(path).count == byteCount)
    }
  }

  @Test func doesNotPublishHalfATensor() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("x.safetensors")
      let file = try AtomicFile(path: path, replacing: false)
      let shape = try #require(Shape([2]))
      let writer = try SafetensorsWriter(
        file: file, tensors: [.init(name: "a", dtype: .u8, shape: shape)])
      try writer.write(([1] as [UInt8]).rawSpan, of: "a", at: 0)
      #expect(throws: CheckpointsError.self) { try writer.publish() }
      #expect(throws: CheckpointsError.self) {
        try writer.write(([1, 2] as [UInt8]).rawSpan, of: "a", at: 1)
      }
      #expect(throws: CheckpointsError.self) {
        try writer.write(([1] as [UInt8]).rawSpan, of: "b", at: 0)
      }
      #expect(!exists(path))
    }
  }

  @Test func refusesToWriteWhatCannotBeRead() throws {
    let shape = try #require(Shape([3]))
    let tensor = SafetensorsWriter.Tensor(name: "a", dtype: .u8, shape: shape)
    #expect(throws: CheckpointsError.self) {
      try SafetensorsWriter.byteCount(tensors: [tensor, tensor])
    }
    #expect(throws: CheckpointsError.self) {
      try SafetensorsWriter.byteCount(tensors: [.init(name: "a", dtype: .f4, shape: shape)])
    }
    #expect(throws: CheckpointsError.self) {
      try SafetensorsWriter.byteCount(tensors: [
        .init(name: "__metadata__", dtype: .u8, shape: shape)
      ])
    }
  }
}
