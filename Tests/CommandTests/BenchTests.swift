import Bytes
import Testing

/// `kelter bench` tells something of every kernel, whatever the figures are.
@Suite struct BenchTests {
  @Test func everyKernelIsTimed() throws {
    let document = try DocumentTests.document("bench", ["bench"])
    let timings = try #require(document["timings"]?.array)
    let sets = Set(timings.compactMap { $0["instruction_set"]?.string })
    #expect(sets.contains("portable"))
    for set in sets {
      let kernels = timings.filter { $0["instruction_set"]?.string == set }
        .compactMap { $0["kernel"]?.string }
      #expect(Set(kernels).count == kernels.count)
      for kernel in ["FP8 to F32", "checksum", "absmax int4-g64", "full int4-g32, measured"] {
        #expect(kernels.contains(kernel), "\(set): \(kernel)")
      }
    }
  }
}
