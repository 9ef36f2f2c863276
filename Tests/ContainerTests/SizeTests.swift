import Bytes
import Quantization
import Tensors
import Testing

@testable import Container

@Suite("The size of a variant is that of its plan")
struct SizeTests {
  static let schemes: [Scheme] = [.keep, .bf16, .int4G32, .fp8E4M3Channel, .nvfp4]

  /// Ten small tensors, which have names in common with schemes, as have a role and a file.
  static func extents(_ scheme: Scheme) -> [PlannedExtent] {
    let names = ["int4-g32", "nvfp4", "a", "b", "c"]
    return [PlannedExtent.Kind.tensors, .expert(layer: 1, expert: 7)].enumerated().map {
      index, kind in
      PlannedExtent(
        kind: kind,
        tensors: names.map { name in
          PlannedTensor(
            name: index == 0 ? name : "expert." + name, sourceDType: .bf16, shape: Shape([3, 70])!,
            role: name == "a" ? "bf16" : "role", layer: index, expert: index == 0 ? nil : 7,
            scheme: scheme.rawValue,
            encoding: scheme.format.map { .quantized($0) } ?? .plain(.bf16))
        })
    }
  }

  static func plan(_ scheme: Scheme, sha256: Bool) throws -> ContainerPlan {
    try ContainerPlan(
      extents: extents(scheme), files: [PlannedFile(name: "fp8-e4m3-channel", byteCount: 5)],
      metadata: .object(["scheme": .string(scheme.rawValue)]), sha256: sha256)
  }

  /// Sections show to the byte what the alignment of the file would hide.
  @Test(arguments: schemes, schemes)
  func everyPair(before: Scheme, after: Scheme) throws {
    for sha256 in [false, true] {
      let expected = try Self.plan(after, sha256: sha256)
      let other = try Self.plan(before, sha256: false)
      var layout = PlanLayout(
        extents: Self.extents(after), files: expected.files, sources: [],
        metadataByteCount: expected.metadata.count, features: expected.features)
      try layout.measure(like: other)
      func places(_ sections: [PlacedSection]) -> [Range<Int>] {
        sections.map { $0.byteOffset..<$0.byteOffset + $0.byteCount }
      }
      #expect(places(layout.sections) == places(expected.sections))
      #expect(layout.extentRanges == expected.extentRanges)

      let size = try other.size(
        storing: Self.extents(after), metadata: .object(["scheme": .string(after.rawValue)]),
        sha256: sha256)
      #expect(size.byteCount == expected.byteCount)
      let payload = (0..<2).reduce(0) { sum, extent in
        sum + (0..<5).reduce(0) { $0 + expected.payloadByteCount(ofTensor: $1, inExtent: extent) }
      }
      #expect(size.measuredPayloadByteCount == (after.format == nil ? 0 : payload))
    }
  }
}
