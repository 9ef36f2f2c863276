import Bytes
import Container
import Foundation
import Quantization
import Synchronization
import SystemPackage
import Tensors
import Testing

@Suite("The writer keeps to its plan")
struct WriterTests {
  let folder = try! TemporaryFolder()

  private func tensor(
    _ name: String, shape: [Int] = [2, 8], expert: Int? = nil, projection: ExpertProjection? = nil,
    encoding: TensorEncoding = .plain(.f32)
  ) -> PlannedTensor {
    PlannedTensor(
      name: name, sourceDType: .f32, shape: Shape(shape)!, role: "norm",
      layer: expert.map { _ in 1 }, expert: expert, scheme: "keep", encoding: encoding,
      projection: projection)
  }

  private func plan(_ extents: [PlannedExtent]) throws -> ContainerPlan {
    try ContainerPlan(extents: extents, metadata: .null)
  }

  private func fault(_ body: () throws -> ContainerPlan) -> PlanFault? {
    do {
      _ = try body()
    } catch ContainerError.invalidPlan(let fault) {
      return fault
    } catch {}
    return nil
  }

  @Test func plansThatCannotBeStoredAreRefused() throws {
    #expect(
      fault { try plan([PlannedExtent(kind: .tensors, tensors: [tensor("a"), tensor("a")])]) }
        == .duplicateTensor("a"))
    // Equal for Swift, different bytes: two names.
    #expect(
      fault {
        try plan([PlannedExtent(kind: .tensors, tensors: [tensor("\u{E9}"), tensor("e\u{301}")])])
      } == nil)
    let expert = PlannedExtent(
      kind: .expert(layer: 1, expert: 0), tensors: [tensor("g", expert: 0, projection: .gate)])
    let again = PlannedExtent(kind: expert.kind, tensors: [tensor("h", expert: 0)])
    #expect(fault { try plan([expert, again]) } == .duplicateExpert(layer: 1, expert: 0))
    let swapped = PlannedExtent(
      kind: expert.kind,
      tensors: [
        tensor("u", expert: 0, projection: .up), tensor("g", expert: 0, projection: .gate),
      ])
    #expect(fault { try plan([swapped]) } == .wrongProjections(layer: 1, expert: 0))
    for shape in [[Int](repeating: 1, count: 9), [1 << 57]] {
      #expect(
        fault { try plan([PlannedExtent(kind: .tensors, tensors: [tensor("t", shape: shape)])]) }
          == .unstorable("tensor t"))
    }
    let wide = TensorEncoding.quantized(
      QuantizationFormat(code: .int8, blockRows: 1, blockColumns: nil, scale: .f64))
    #expect(
      fault { try plan([PlannedExtent(kind: .tensors, tensors: [tensor("t", encoding: wide)])]) }
        == .unstorable("tensor t"))
    #expect(
      fault {
        try ContainerPlan(
          extents: [], files: [.init(name: "f", byteCount: 1), .init(name: "f", byteCount: 2)],
          metadata: .null)
      } == .duplicateFile("f"))
    for name in ["", ".", "..", "/", "../evil.txt", "a/b", "a\0b"] {
      #expect(
        fault {
          try ContainerPlan(
            extents: [], files: [.init(name: name, byteCount: 1)], metadata: .null)
        } == .unstorable("file \(name)"))
    }
    for name in ["...", "..a", "a b", "a\\b"] {
      #expect(
        fault {
          try ContainerPlan(
            extents: [], files: [.init(name: name, byteCount: 1)], metadata: .null)
        } == nil)
    }
    #expect(
      fault { try ContainerPlan(extents: [], metadata: .number(.nan)) } == .unstorable("metadata"))
    // What is planned comes from a source, not from a command line.
    #expect(ContainerError.invalidPlan(.tooLarge).kind == .invalidInput)
  }

  @Test func anExtentTakesExactlyItsBytes() throws {
    let plan = try plan([PlannedExtent(kind: .tensors, tensors: [tensor("a")])])
    let writer = try ContainerWriter(path: folder.file("a.kelter"), plan: plan, replacing: false)
    #expect(throws: ContainerError.self) {
      try writer.extent(0).append([UInt8](repeating: 0, count: 65))
    }
    let short = writer.extent(0)
    try short.append([UInt8](repeating: 0, count: 63))
    #expect(throws: ContainerError.self) { try short.finish() }
    #expect(throws: ContainerError.self) { try short.pad(toByteOffset: 62) }
  }

  @Test func nothingIsPublishedBeforeAllIsWritten() throws {
    let path = folder.file("tiny.kelter")
    let writer = try ContainerWriter(
      path: path, plan: try TinyContainer.plan(), replacing: false)
    for extent in 0..<2 { try TinyContainer.write(extent, of: writer) }
    #expect {
      try writer.publish()
    } throws: {
      if case ContainerError.wrongExtentWrites(_, 2, 0) = $0 { true } else { false }
    }
    #expect(!FileManager.default.fileExists(atPath: path.string))
    writer.discard()
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path.string) == [])
  }

  /// What waits to be written when a run is to stop is dropped, and nothing comes after it.
  @Test func whatWaitsIsDropped() throws {
    let path = folder.file("tiny.kelter")
    let written = Mutex(0)
    let writer = try ContainerWriter(
      path: path, plan: try TinyContainer.plan(), replacing: false,
      check: { () throws(BytesError) in
        let isFirst = written.withLock { count in
          count += 1
          return count == 1
        }
        if !isFirst { throw .interrupted }
      })
    let noted = Mutex<[Int]>([])
    for extent in 0..<3 {
      try? TinyContainer.write(extent, of: writer)
      try? writer.afterWriting { noted.withLock { $0.append(extent) } }
    }
    for attempt in [writer.finishWriting, writer.seal, writer.publish] {
      let error = #expect(throws: ContainerError.self) { try attempt() }
      #expect(error?.kind == .interrupted)
    }
    #expect(written.withLock { $0 } == 2)
    #expect(noted.withLock { $0 } == [0])
    writer.discard()
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path.string) == [])
  }

  @Test func aMeasuredTensorNeedsItsError() throws {
    var planned = tensor("a")
    planned.hasErrorRecord = true
    let plan = try plan([PlannedExtent(kind: .tensors, tensors: [planned])])
    let path = folder.file("a.kelter")
    let writer = try ContainerWriter(path: path, plan: plan, replacing: false)
    let extent = writer.extent(0)
    try extent.append([UInt8](repeating: 0, count: 64))
    try extent.finish()
    #expect {
      try writer.publish()
    } throws: {
      if case ContainerError.wrongErrorRecord(_, "a") = $0 { true } else { false }
    }
    writer.setErrorRecord(TinyContainer.errorRecord(1), ofTensor: 0, inExtent: 0)
    try writer.publish()
    #expect(try ContainerVerifier.verify(ContainerReader(path: path)) == [])
  }

  @Test func anExistingFileIsNotReplacedUnlessAsked() throws {
    let path = folder.file("tiny.kelter")
    try TinyContainer.write(to: path)
    #expect {
      try ContainerWriter(path: path, plan: try TinyContainer.plan(), replacing: false)
    } throws: {
      ($0 as? ContainerError)?.kind == .cannotCreate
    }
  }

  /// No tensors, no files: still a file that reads and verifies.
  @Test func anEmptyContainerIsSound() throws {
    let path = folder.file("empty.kelter")
    let plan = try plan([])
    try ContainerWriter(path: path, plan: plan, replacing: false).publish()
    let reader = try ContainerReader(path: path)
    #expect(reader.byteCount == 32_768)
    #expect(try ContainerVerifier.verify(reader) == [])
    #expect(throws: ContainerError.self) { try reader.tensor(named: "a") }
    #expect(throws: ContainerError.self) { try reader.expert(layer: 0, expert: 0) }
  }

  /// Experts of different sizes have no stride; layers and experts may come in any order.
  @Test func expertsOfManyLayersAreFound() throws {
    var extents: [PlannedExtent] = []
    for layer in [7, 3, 5] {
      for expert in [2, 0, 1] {
        let rows = layer == 5 ? 4096 * (expert + 1) : 2
        var down = tensor("\(layer).\(expert)", shape: [rows, 2], projection: .down)
        down.layer = layer
        down.expert = expert
        extents.append(
          PlannedExtent(kind: .expert(layer: layer, expert: expert), tensors: [down]))
      }
    }
    let plan = try plan(extents)
    let path = folder.file("many.kelter")
    let writer = try ContainerWriter(path: path, plan: plan, replacing: false)
    for index in extents.indices.reversed() {
      let extent = writer.extent(index)
      try extent.append([UInt8](repeating: 1, count: plan.usedByteCount(ofExtent: index)))
      try extent.finish()
    }
    try writer.publish()
    let reader = try ContainerReader(path: path)
    #expect(try ContainerVerifier.verify(reader) == [])
    for (index, extent) in extents.enumerated() {
      guard case .expert(let layer, let expert) = extent.kind else { continue }
      let found = try reader.expert(layer: layer, expert: expert)
      #expect(found.byteRange == plan.byteRange(ofExtent: index))
      #expect(found.gateTensor == nil && found.upTensor == nil)
      #expect(try reader.tensor(at: try #require(found.downTensor)).name == "\(layer).\(expert)")
    }
    let layers = try (0..<reader.layerCount).map { try reader.layer(at: $0) }
    #expect(layers.map(\.layer) == [3, 5, 7])
    #expect(layers.map(\.firstExpert) == [0, 3, 6])
    // Written as 2, 0, 1: not equally spaced in the order of the experts.
    #expect(layers.map(\.strideByteCount) == [nil, nil, nil])
  }
}
