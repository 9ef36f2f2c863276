import Bytes
import FixtureSupport
import SystemPackage
import Testing

/// Outputs on file systems that do not let the page cache be passed by, or take a piece in parts.
@Suite struct DirectWritingCommandTests {
  /// EINVAL at the first write; writes that stop at a page, and between pages, where what is left must
  /// go through the cache.
  @Test(arguments: ["refused", "8192", "5000"])
  func sameBytes(direct: String) throws {
    try FaultTests.withShim { shim, folder in
      let path = folder.appending("out.kelter")
      var checksums: [UInt64] = []
      for environment in [[:], shim.environment(["SHIM_DIRECT": direct])] {
        let run = try CommandRun(
          FaultTests.convert("mixtral", in: folder, "--force"), environment: environment)
        #expect(run.exitCode == 0)
        let bytes = try contents(path)
        checksums.append(Checksum.of(bytes.rawSpan))
      }
      #expect(checksums[0] == checksums[1])
      #expect(try CommandRun(["verify", path.string]).exitCode == 0)
    }
  }
}
