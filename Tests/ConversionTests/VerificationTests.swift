import Bytes
import Checkpoints
import Container
import Conversion
import FixtureSupport
import Quantization
import SourceWeights
import SystemPackage
import Tensors
import Testing

/// A container matched with its source.
@Suite struct VerificationTests {
  /// A file may say that a weight is stored as whole numbers, which nobody writes.
  @Test func tensorOfNoNumbersIsRefused() throws {
    try withTemporaryFolder { folder in
      let source = try Source(path: Fixtures.path("mixtral"))
      var options = ConversionOptions(scheme: .bf16)
      let plan = try ConversionPlan(source: source, options: options)
      var extents = Array(plan.container.extents.prefix(plan.units.count))
      let name = try #require(plan.units.last?.weights.last?.source.name)
      for extent in extents.indices {
        for tensor in extents[extent].tensors.indices {
          extents[extent].tensors[tensor].hasErrorRecord = false
          guard extents[extent].tensors[tensor].name == name else { continue }
          #expect(extents[extent].tensors[tensor].encoding == .plain(.bf16))
          extents[extent].tensors[tensor].encoding = .plain(.i16)
        }
      }
      let writer = try ContainerWriter(
        path: folder.appending("out.kelter"),
        plan: ContainerPlan(
          extents: extents, sources: plan.container.sources,
          metadata: .object(["scheme": .string("bf16")])),
        replacing: false)
      for (index, extent) in extents.enumerated() {
        let output = writer.extent(index)
        for tensor in extent.tensors.indices {
          try output.pad(toMultipleOf: 64)
          try output.append(
            source.checkpoint.bytes(of: plan.units[index].weights[tensor].source.primary))
        }
        try output.finish()
      }
      try writer.publish()

      options.tokenCount = 4
      let verification = try Verification(
        reader: ContainerReader(path: writer.path), source: source, options: options)
      let error = #expect(throws: ConversionError.self) { try verification.run() }
      #expect(error?.description.contains(name) == true, "\(String(describing: error))")
      #expect(error?.description.contains("stored as no numbers") == true)
    }
  }

  /// A damaged record is damage that names its byte, not a tensor that is missing.
  @Test func damageIsNoAbsence() throws {
    try withTemporaryFolder { folder in
      let converted = try Converted("mixtral", in: folder, scheme: .int4G32) {
        $0.search = .absmax
        $0.gate = false
      }
      var bytes = try contents(converted.path)
      // Where the directory says that the tensors' records are, and the first one's encoding.
      let entry = 64 + 2 * 48
      let encoding = (0..<8).reduce(36) { $0 + Int(bytes[entry + 16 + $1]) << (8 * $1) }
      bytes[encoding] = 9
      try writeFile(converted.path, bytes)
      let error = #expect(throws: ContainerError.self) {
        try Verification(
          reader: converted.reader(), source: converted.source,
          options: ConversionOptions(scheme: .keep))
      }
      #expect(error?.description.contains("byte \(encoding)") == true)
      #expect(error?.description.contains("encoding has the unknown value 9") == true)
    }
  }
}
