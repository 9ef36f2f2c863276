import Bytes
import FixtureSupport
import SystemPackage
import Testing

/// All kernels that the machine can run make the same file and the same figures.
@Suite struct KernelTests {
  @Test(arguments: [
    "fp8-e4m3-b128", "fp8-e4m3-channel", "fp8-e4m3-tensor", "int8-channel", "int4-g32", "int4-g64",
    "int4-g128", "int4-asym-g32", "int4-asym-g64", "int4-asym-g128", "mxfp4", "mxfp8", "nvfp4",
    "lut4-g32", "lut4-g16", "lut4-g16-k2", "lut3-g16", "lut3-g16-k2", "bf16", "keep",
  ])
  func sameBytes(scheme: String) throws {
    try withTemporaryFolder { folder in
      // FP8 to be decoded for most schemes; BF16 where FP8 would only be copied.
      let fixture = scheme == "fp8-e4m3-b128" ? "qwen3_moe" : "deepseek_v3_fp8"
      var files: [[UInt8]] = []
      var reports: [JSONValue] = []
      for isa in ["portable", "avx2", "avx512"] {
        let output = folder.appending("\(isa).kelter")
        let run = try kelter(
          "convert", Fixtures.path(fixture).string, "-o", output.string, "--scheme", scheme,
          "--token-count", "16", "--json", environment: ["KELTER_KERNELS": isa])
        #expect(run.exitCode == 0, "\(run.errors)")
        files.append(try contents(output))
        reports.append(try JSONValue(parsing: Array(run.output.utf8), file: "report"))
      }
      #expect(files[0].count > 100_000 && reports[0]["layers"]?.array?.isEmpty == false)
      for (file, report) in zip(files, reports) {
        #expect(file == files[0])
        #expect(report["weights"] == reports[0]["weights"])
        #expect(report["layers"] == reports[0]["layers"])
      }
    }
  }
}
