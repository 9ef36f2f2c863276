import Bytes
import Container
import Conversion
import FixtureSupport
import Quantization
import SystemPackage
import Testing

/// A container matched with its source.
@Suite struct VerificationTests {
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
