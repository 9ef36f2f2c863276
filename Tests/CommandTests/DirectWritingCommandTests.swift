import Bytes
import FixtureSupport
import Foundation
import SystemPackage
import Testing

/// Outputs on file systems that do not let the page cache be passed by, or take a piece in parts.
@Suite struct DirectWritingCommandTests {
  /// EINVAL at the first write; writes that stop at a page, and between pages, where what is left
  /// must go through the cache.
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

  /// What goes through the cache is forced to the disk every 64 MiB, so that the end takes no time.
  @Test func longFiles() throws {
    try FaultTests.withShim { shim, folder in
      let source = folder.appending("model.safetensors")
      let byteCount = 96 << 20
      let header = #"{"x":{"dtype":"U8","shape":[\#(byteCount)],"data_offsets":[0,\#(byteCount)]}}"#
      try writeFile(source, SafetensorsBytes.file(header: header, dataByteCount: 0))
      let file = try FileHandle(forWritingTo: URL(filePath: source.string))
      try file.truncate(atOffset: UInt64(8 + header.utf8.count + byteCount))
      try file.close()
      let convert = [
        "convert", source.string, "-o", folder.appending("out.kelter").string, "--scheme", "keep",
        "--family", "generic", "--no-gate",
      ]
      try expectFailure(
        74, naming: "out.kelter.partial", "forcing it to the disk failed", of: convert,
        environment: shim.environment(["SHIM_DIRECT": "refused", "SHIM_FDATASYNC": "0"]))
      let log = folder.appending("events")
      let run = try CommandRun(
        convert,
        environment: shim.environment(["SHIM_DIRECT": "refused", "SHIM_EVENTS": log.string]))
      #expect(run.exitCode == 0, "\(run.errors)")
      #expect(try contents(log).count { $0 == UInt8(ascii: "d") } == 1)
    }
  }
}
