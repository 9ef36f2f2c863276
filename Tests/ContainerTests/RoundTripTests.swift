import Bytes
import Container
import Quantization
import SystemPackage
import Tensors
import Testing

@Suite("What was written is read")
struct RoundTripTests {
  let folder = try! TemporaryFolder()
  let path: FilePath
  let plan: ContainerPlan
  let reader: ContainerReader

  init() throws {
    path = folder.file("tiny.kelter")
    plan = try TinyContainer.write(to: path, sha256: true)
    reader = try ContainerReader(path: path)
  }

  @Test func theFileHasThePlannedSize() throws {
    #expect(try File(path: path).byteCount == plan.byteCount)
    #expect(reader.byteCount == plan.byteCount)
    #expect(reader.version == (1, 0))
    #expect(reader.features == .digests)
    #expect(try reader.metadata() == TinyContainer.metadata)
  }

  @Test func everyTensorComesBack() throws {
    #expect(reader.tensorCount == plan.extents.map(\.tensors.count).reduce(0, +))
    for (extent, planned) in plan.extents.enumerated() {
      for (index, tensor) in planned.tensors.enumerated() {
        let found = try reader.tensor(named: tensor.name, expert: tensor.expert)
        #expect(found.name == tensor.name)
        #expect(found.scheme == tensor.scheme)
        #expect(found.role == tensor.role)
        #expect(found.layer == tensor.layer)
        #expect(found.expert == tensor.expert)
        #expect(found.part == tensor.part)
        #expect(found.sourceDType == tensor.sourceDType)
        #expect(found.shape == tensor.shape)
        #expect(found.encoding == tensor.encoding)
        #expect(found.extentIndex == extent)
        #expect(found.byteRange == plan.byteRange(ofTensor: index, inExtent: extent))
        #expect(found.layout == plan.layout(ofTensor: index, inExtent: extent))
        #expect(
          found.payloadByteCount == plan.payloadByteCount(ofTensor: index, inExtent: extent))
        let seed = extent * 100 + index
        let bytes = try reader.file.bytes(in: found.byteRange)
        #expect(bytes == TinyContainer.bytes(of: tensor, seed: seed))
        let error = try reader.errorRecord(ofTensor: found.index)
        #expect(error == (tensor.hasErrorRecord ? TinyContainer.errorRecord(seed) : nil))
      }
    }
    let names = try reader.allTensors().map(\.name)
    #expect(names == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
  }

  @Test func everyExpertIsOneAlignedExtent() throws {
    let layer = try reader.layer(at: 0)
    #expect(layer.layer == 1)
    #expect(layer.expertCount == 2)
    #expect(layer.strideByteCount == ContainerFormat.alignment)
    for expert in 0..<2 {
      let found = try reader.expert(layer: 1, expert: expert)
      #expect(found.byteRange == plan.byteRange(ofExtent: expert))
      #expect(found.byteRange.lowerBound % 16_384 == 0)
      #expect(found.usedByteCount == plan.usedByteCount(ofExtent: expert))
      let offsets = [found.gateByteOffset, found.upByteOffset, found.downByteOffset]
      let tensors = [found.gateTensor, found.upTensor, found.downTensor]
      for (index, word) in ["gate", "up", "down"].enumerated() {
        let tensor = try reader.tensor(at: try #require(tensors[index]))
        #expect(tensor.role == "expert.\(word)")
        #expect(tensor.byteRange.lowerBound == found.byteRange.lowerBound + offsets[index])
      }
      let lent = try reader.bytes(in: found.byteRange)
      #expect(lent.byteCount == found.byteRange.count)
    }
  }

  @Test(arguments: [(0, 0), (1, 2), (2, 0), (-1, 0), (1, -1), (1, 1 << 40)])
  func anExpertThatIsNotThereIsAnError(layer: Int, expert: Int) throws {
    #expect(throws: ContainerError.self) { try reader.expert(layer: layer, expert: expert) }
  }

  @Test(arguments: ["", "fused", "fused.bias.", "weights.mxfp", "weights.nvfp40", "\u{10FFFF}"])
  func aTensorThatIsNotThereIsAnError(name: String) throws {
    #expect(throws: ContainerError.self) { try reader.tensor(named: name) }
  }

  @Test func partsOfAFusedTensorAreFoundByExpert() throws {
    #expect(try reader.tensor(named: "fused.bias").expert == 0)
    #expect(try reader.tensor(named: "fused.bias", expert: 1).expert == 1)
    #expect(throws: ContainerError.self) { try reader.tensor(named: "fused.bias", expert: 2) }
    #expect(throws: ContainerError.self) {
      try reader.tensor(named: "fused.bias", expert: 1, part: 1)
    }
    #expect(throws: ContainerError.self) {
      try reader.tensor(named: "model.norm.weight", expert: 0)
    }
  }

  @Test func filesAndSourcesComeBack() throws {
    let files = try reader.files()
    #expect(files.map(\.name) == TinyContainer.files.map(\.name))
    for (file, expected) in zip(files, TinyContainer.files) {
      #expect(try reader.contents(of: file) == expected.contents)
    }
    let source = try #require(try reader.sources().first)
    #expect(source.name == "model.safetensors")
    #expect(source.byteCount == 12_345)
    #expect(source.headerByteCount == 678)
    #expect(source.headerChecksum == 0x0123_4567_89AB_CDEF)
    #expect(source.contentChecksum == 42)
  }

  @Test func bytesOutsideOfTheFileAreNotLent() throws {
    for range in [-1..<1, 0..<plan.byteCount + 1, plan.byteCount + 1..<plan.byteCount + 1] {
      #expect(throws: ContainerError.self) { _ = try reader.bytes(in: range).byteCount }
    }
  }
}
