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
      let ofSet = timings.filter { $0["instruction_set"]?.string == set }
      let kernels = ofSet.compactMap { $0["kernel"]?.string }
      #expect(Set(kernels).count == kernels.count)
      for kernel in [
        "FP8 to F32", "checksum", "dequantize int4-g32", "products with 16 rows", "absmax int4-g64",
        "fast lut4-g16, measured", "full int4-g32, measured",
      ] {
        #expect(kernels.contains(kernel), "\(set): \(kernel)")
      }
      // Limits: three conversions, six int4 schemes in both directions, six with tables.
      let limited = ofSet.filter { $0["least_ratio_to_memcpy"] != nil }
      #expect(limited.count == 3 + 6 + 6)
      let ofTables = ofSet.filter { $0["times_int4"] != nil && $0["most_times_int4"] != nil }
      #expect(ofTables.count == 6)
    }
  }
}
