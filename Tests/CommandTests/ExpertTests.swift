import Bytes
import Container
import FixtureSupport
import SystemPackage
import Testing

/// `kelter expert`: where an expert lies, as the reader finds it among all tensors.
@Suite struct ExpertTests {
  @Test(arguments: ["mixtral", "deepseek_v3_fp8"])
  func tellsThePlace(fixture: String) throws {
    try withTemporaryFolder { folder in
      let output = folder.appending("out.kelter")
      let converted = try kelter(
        "convert", Fixtures.path(fixture).string, "-o", output.string, "--scheme", "int4-g32",
        "--search", "absmax", "--no-gate", "--quiet")
      #expect(converted.exitCode == 0, "\(converted.errors)")
      let reader = try ContainerReader(path: output)
      let tensors = try reader.allTensors()
      #expect(reader.expertCount > 1)
      for index in 0..<min(reader.expertCount, 4) {
        let expert = try reader.expert(at: index)
        let document = try DocumentTests.document(
          "expert",
          [
            "expert", output.string, "--layer", "\(expert.layer)", "--expert", "\(expert.expert)",
            "--runs", "3",
          ])
        #expect(document["offset"] == .integer(expert.byteRange.lowerBound))
        #expect(document["bytes"] == .integer(expert.byteRange.count))
        #expect(document["microseconds"]?.array?.count == 3)
        let places = document["tensors"]?.array?.compactMap { $0["offset"]?.int }
        let expected = tensors.filter {
          $0.layer == expert.layer && $0.expert == expert.expert
        }
        #expect(!expected.isEmpty)
        #expect(places == expected.map(\.byteRange.lowerBound).sorted())
      }
      let text = try kelter("expert", output.string, "--layer", "1", "--expert", "1")
      #expect(text.exitCode == 0, "\(text.errors)")
      #expect(text.output.contains("layer 1, expert 1: ") && text.output.contains("int4-g32"))
    }
  }

  @Test func refusals() throws {
    let path = Fixtures.path("container/tiny.kelter").string
    try expectFailure(
      66, naming: path, "expert 99", of: ["expert", path, "--layer", "1", "--expert", "99"])
    try expectFailure(
      66, naming: path, "expert -1", of: ["expert", path, "--layer=1", "--expert=-1"])
    try expectFailure(
      64, naming: "--runs", of: ["expert", path, "--layer", "1", "--expert", "0", "--runs", "0"])
  }
}
