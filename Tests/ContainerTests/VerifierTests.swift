import Bytes
import Container
import Foundation
import Quantization
import Synchronization
import SystemPackage
import Tensors
import Testing

@Suite("The verifier notices every change")
struct VerifierTests {
  let folder = try! TemporaryFolder()

  @Test(arguments: [false, true], [1, 3])
  func aSoundFileHasNoFindings(sha256: Bool, threads: Int) throws {
    let path = folder.file("tiny.kelter")
    try TinyContainer.write(to: path, sha256: sha256)
    let reports = Mutex<[Int]>([])
    let findings = try ContainerVerifier.verify(
      ContainerReader(path: path), threads: threads
    ) { done, _ in reports.withLock { $0.append(done) } }
    #expect(findings == [])
    let all = reports.withLock { $0 }
    #expect(Set(all).count == all.count && (threads > 1 || all == all.sorted()))
    #expect(all.max() == (try File(path: path).byteCount))
  }

  /// Who is told the progress may end it.
  @Test func canBeInterrupted() throws {
    let path = folder.file("tiny.kelter")
    try TinyContainer.write(to: path)
    let reader = try ContainerReader(path: path)
    struct Enough: Error {}
    #expect(throws: Enough.self) {
      _ = try ContainerVerifier.verify(reader) { _, _ in throw Enough() }
    }
  }

  /// A flipped byte of the header is refused at open, one anywhere else is found, and found where
  /// it is. Header and index: every byte in use; the zeros after them and the extents, which are
  /// under one checksum each: bytes at a stride, in all extents at a time.
  @Test func everyFlippedByteIsNoticed() throws {
    let path = folder.file("tiny.kelter")
    try TinyContainer.write(to: path)
    let original = try [UInt8](Data(contentsOf: URL(filePath: path.string)))
    let handle = try #require(FileHandle(forUpdatingAtPath: path.string))
    func write(_ byte: UInt8, at place: Int) throws {
      try handle.seek(toOffset: UInt64(place))
      try handle.write(contentsOf: Data([byte]))
    }
    func flip(_ places: [Int], _ check: () throws -> Void) throws {
      for place in places { try write(original[place] ^ 0x10, at: place) }
      try check()
      for place in places { try write(original[place], at: place) }
    }

    let reader = try ContainerReader(path: path)
    let page = 16_384
    let headerEnd = try #require(original[..<(page - 8)].lastIndex { $0 != 0 })
    let unused = stride(from: headerEnd, to: page - 8, by: 97)
    for place in Array(0...headerEnd) + unused + (page - 8..<page) {
      try flip([place]) {
        #expect(throws: ContainerError.self, "byte \(place)") { try ContainerReader(path: path) }
      }
    }
    // What follows the index up to the first extent is zeros: no need to try them all.
    let indexEnd = try #require(original[..<(2 * page)].lastIndex { $0 != 0 })
    let places = Array(page...indexEnd) + stride(from: indexEnd, to: 2 * page, by: 197)
    for place in places {
      try flip([place]) {
        let findings = try ContainerVerifier.verify(reader)
        #expect(findings.contains { $0.isDamage(in: page..<2 * page) }, "byte \(place)")
      }
    }
    let pages = (2..<original.count / page).map { $0 * page }
    for place in stride(from: 0, to: page, by: 17) {
      try flip(pages.map { $0 + place }) {
        let findings = try ContainerVerifier.verify(reader)
        for start in pages {
          #expect(
            findings.contains { $0.isDamage(in: start..<start + page) }, "byte \(start + place)")
        }
      }
    }
    #expect(try ContainerVerifier.verify(reader) == [])
  }

  @Test(arguments: [1, 8, 100, 16_383, 16_384, 16_385, 40_000, 98_303])
  func aTruncatedFileIsRefused(byteCount: Int) throws {
    let path = folder.file("tiny.kelter")
    try TinyContainer.write(to: path)
    let handle = try #require(FileHandle(forWritingAtPath: path.string))
    try handle.truncate(atOffset: UInt64(byteCount))
    #expect(throws: ContainerError.self) { try ContainerReader(path: path) }
  }

  @Test func aFileThatIsTooLongIsRefused() throws {
    let path = folder.file("tiny.kelter")
    let plan = try TinyContainer.write(to: path)
    let handle = try #require(FileHandle(forWritingAtPath: path.string))
    try handle.truncate(atOffset: UInt64(plan.byteCount + 16_384))
    #expect {
      try ContainerReader(path: path)
    } throws: {
      if case ContainerError.wrongByteCount = $0 { true } else { false }
    }
  }

  /// NaN, infinite and zero scales, NaN codes and NaN elements, as a writer might have put them.
  /// Where the file was made to keep NaN of its source, those of tensors that were not quantized
  /// are notes.
  @Test(arguments: [false, true])
  func specialValuesAreFoundAndNamed(allowed: Bool) throws {
    let path = folder.file("special.kelter")
    let shape = Shape(rows: 2, columns: 64)
    func tensor(_ scheme: Scheme) -> PlannedTensor {
      PlannedTensor(
        name: scheme.rawValue, sourceDType: .bf16, shape: shape, role: "dense.gate",
        scheme: scheme.rawValue, encoding: scheme.format.map { .quantized($0) } ?? .plain(.bf16),
        hasErrorRecord: false)
    }
    let schemes: [Scheme] = [.int4G32, .mxfp4, .fp8E4M3Channel, .nvfp4, .bf16]
    let plan = try ContainerPlan(
      extents: [PlannedExtent(kind: .tensors, tensors: schemes.map(tensor))],
      metadata: allowed ? .object(["allow_nonfinite": .bool(true)]) : .null)
    let writer = try ContainerWriter(path: path, plan: plan, replacing: false)
    let extent = writer.extent(0)
    for (index, planned) in plan.extents[0].tensors.enumerated() {
      try extent.pad(toMultipleOf: 64)
      var bytes = TinyContainer.bytes(of: planned, seed: index)
      let layout = plan.layout(ofTensor: index, inExtent: 0)
      switch schemes[index] {
      case .int4G32:  // BF16: NaN, infinity, −0.
        bytes.replaceSubrange(
          layout!.scales.prefix(6), with: [0xC0, 0x7F, 0x80, 0xFF, 0x00, 0x80])
      case .mxfp4: bytes[layout!.scales.lowerBound] = 0xFF
      case .fp8E4M3Channel:
        bytes[layout!.codes.lowerBound] = 0x7F
        bytes[layout!.codes.upperBound - 1] = 0xFF
      case .nvfp4: bytes.replaceSubrange(layout!.globalScale, with: [0, 0, 0x80, 0x7F])
      default: bytes.replaceSubrange(0..<4, with: [0x80, 0x7F, 0x00, 0x00])
      }
      try extent.append(bytes)
    }
    try extent.finish()
    try writer.publish()
    #expect(
      Set(try ContainerVerifier.verify(ContainerReader(path: path))) == [
        .nonFiniteScales(tensor: "int4-g32", count: 2), .zeroScales(tensor: "int4-g32", count: 1),
        .nonFiniteScales(tensor: "mxfp4", count: 1),
        .nonFiniteValues(tensor: "fp8-e4m3-channel", count: 2),
        .nonFiniteScales(tensor: "nvfp4", count: 1),
        allowed
          ? .keptNonFiniteValues(tensor: "bf16", count: 1)
          : .nonFiniteValues(tensor: "bf16", count: 1),
      ])
  }
}

extension ContainerFinding {
  func isDamage(in bytes: Range<Int>) -> Bool {
    if case .damage(let byteOffset, _) = self { bytes.contains(byteOffset) } else { false }
  }
}
