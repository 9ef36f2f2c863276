import Bytes
import Container
import Foundation
import Quantization
import SystemPackage
import Tensors

/// A small container that has one of everything: two experts of equal size, every scheme with a
/// format, plain tensors, files, sources. `fixtures/container/tiny.kelter` is what it writes.
enum TinyContainer {
  static let rows = 4
  /// No multiple of any group size.
  static let columns = 72

  static var metadata: JSONValue {
    .object([
      "family": .string("DeepSeek-V3"), "kelter": .string("1.0.0"), "recipe": .string(""),
      "scheme": .string("int4-g64"), "search": .string("full"),
    ])
  }

  static let files: [(name: String, contents: [UInt8])] = [
    ("config.json", Array(#"{"model_type":"deepseek_v3"}"#.utf8)), ("empty.txt", []),
    ("tokenizer.json", Array("{}".utf8)),
  ]

  static let sources = [
    PlannedSource(
      name: "model.safetensors", byteCount: 12_345, headerByteCount: 678,
      headerChecksum: 0x0123_4567_89AB_CDEF)
  ]

  static let matrix = Shape(rows: rows, columns: columns)

  static func expert(_ expert: Int) -> PlannedExtent {
    let schemes: [(ExpertProjection, String, Scheme)] = [
      (.gate, "gate", .int4AsymmetricG32), (.up, "up", .mxfp4), (.down, "down", .fp8E4M3Block128),
    ]
    return PlannedExtent(
      kind: .expert(layer: 1, expert: expert),
      tensors: schemes.map { projection, word, scheme in
        PlannedTensor(
          name: "model.layers.1.mlp.experts.\(expert).\(word)_proj.weight", sourceDType: .f8E4M3,
          shape: matrix, role: "expert.\(word)", layer: 1, expert: expert,
          scheme: scheme.rawValue, encoding: .quantized(scheme.format!), projection: projection)
      })
  }

  static var others: PlannedExtent {
    let schemes: [Scheme] = [
      .fp8E4M3Channel, .fp8E4M3Tensor, .int8Channel, .int4G32, .int4G64, .int4G128, .mxfp8, .nvfp4,
    ]
    var tensors = schemes.map {
      PlannedTensor(
        name: "weights.\($0.rawValue)", sourceDType: .bf16, shape: matrix, role: "attention",
        layer: 0, scheme: $0.rawValue, encoding: .quantized($0.format!))
    }
    tensors.append(
      PlannedTensor(
        name: "model.norm.weight", sourceDType: .bf16, shape: Shape([columns])!, role: "norm",
        scheme: "keep", encoding: .plain(.bf16)))
    tensors.append(
      PlannedTensor(
        name: "model.layers.1.mlp.gate.weight", sourceDType: .f32, shape: Shape([2, 8])!,
        role: "router", layer: 1, scheme: "keep", encoding: .plain(.f32)))
    // Two parts of a fused tensor.
    for expert in 0..<2 {
      tensors.append(
        PlannedTensor(
          name: "fused.bias", sourceDType: .f32, shape: Shape([3])!, role: "expert.bias", layer: 1,
          expert: expert, scheme: "keep", encoding: .plain(.f32)))
    }
    return PlannedExtent(kind: .tensors, tensors: tensors)
  }

  static func plan(sha256: Bool = false) throws -> ContainerPlan {
    try ContainerPlan(
      extents: [expert(0), expert(1), others],
      files: files.map { PlannedFile(name: $0.name, byteCount: $0.contents.count) },
      sources: sources, metadata: metadata, sha256: sha256)
  }

  /// Planes of made-up codes and scales, all finite and none zero.
  static func bytes(of tensor: PlannedTensor, seed: Int) -> [UInt8] {
    var state = UInt32(truncatingIfNeeded: seed &* 2_654_435_761 &+ 12_345)
    func next() -> UInt8 {
      state = state &* 1_664_525 &+ 1_013_904_223
      return UInt8(state >> 24)
    }
    func float(_ value: Float) -> [UInt8] {
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
    }
    switch tensor.encoding {
    case .plain(let dtype):
      return (0..<tensor.shape.elementCount).flatMap { _ -> [UInt8] in
        let value = Float(Int(next()) - 128) / 64
        let bytes = float(value)
        return dtype == .bf16 ? Array(bytes[2...]) : bytes
      }
    case .quantized(let format):
      let layout = QuantizedLayout(
        format: format, rows: tensor.shape.rows, columns: tensor.shape.columns)
      var bytes = [UInt8](repeating: 0, count: layout.byteCount)
      for place in layout.codes {
        bytes[place] = format.code == .e4m3 ? next() % 0x7E : next()
      }
      for place in layout.zeroPoints { bytes[place] = next() }
      if format.tableCount > 0 {
        for place in layout.scales { bytes[place] = next() }
        let start = layout.scales.lowerBound
        for place in layout.superScaleOffsets(in: 0..<layout.scales.count) {
          // The upper byte of a Float16: positive, finite and not zero.
          bytes[start + place + 1] = 1 + next() % 0x7A
        }
        for place in layout.tables { bytes[place] = next() }
        bytes.replaceSubrange(layout.globalScale, with: float(0.03125))
        return bytes
      }
      let scaleByteCount = format.scale.bitsPerElement / 8
      for start in stride(
        from: layout.scales.lowerBound, to: layout.scales.upperBound, by: scaleByteCount)
      {
        let scale: [UInt8] =
          switch format.scale {
          case .f32: float(Float(Int(next()) + 1) / 1024)
          case .bf16: Array(float(Float(Int(next()) - 128) / 1024 + 0.2)[2...])
          case .f8E8M0: [120 + next() % 8]
          default: [1 + next() % 0x7D]
          }
        bytes.replaceSubrange(start..<start + scaleByteCount, with: scale)
      }
      if format.hasGlobalScale { bytes.replaceSubrange(layout.globalScale, with: float(0.03125)) }
      return bytes
    }
  }

  static func errorRecord(_ seed: Int) -> ErrorRecord {
    ErrorRecord(
      relativeError: 0.0625 + Double(seed) / 1024, signalToQuantizationNoise: 24,
      maximumAbsoluteError: 0.5, zeroedShare: 0.25, clippedShare: 0.125, nonFiniteCount: 0)
  }

  /// Writes one extent, in pieces of a given size.
  static func write(_ extent: Int, of writer: ContainerWriter, pieceByteCount: Int = 1000) throws {
    let extentWriter = writer.extent(extent)
    for (index, tensor) in writer.plan.extents[extent].tensors.enumerated() {
      try extentWriter.pad(toMultipleOf: 64)
      let seed = extent * 100 + index
      let all = bytes(of: tensor, seed: seed)
      for start in stride(from: 0, to: all.count, by: pieceByteCount) {
        try extentWriter.append(Array(all[start..<min(start + pieceByteCount, all.count)]))
      }
      if tensor.hasErrorRecord {
        writer.setErrorRecord(errorRecord(seed), ofTensor: index, inExtent: extent)
      }
    }
    try extentWriter.finish()
  }

  /// Writes the whole container.
  @discardableResult
  static func write(
    to path: FilePath, sha256: Bool = false, order: [Int] = [0, 1, 2], pieceByteCount: Int = 1000
  ) throws -> ContainerPlan {
    let plan = try plan(sha256: sha256)
    let writer = try ContainerWriter(path: path, plan: plan, replacing: true)
    for extent in order { try write(extent, of: writer, pieceByteCount: pieceByteCount) }
    try writeFilesAndPublish(writer)
    return plan
  }

  static func writeFilesAndPublish(_ writer: ContainerWriter) throws {
    try writer.writeFiles { file in files.first { $0.name == file.name }!.contents }
    writer.setContentChecksum(42, ofSource: 0)
    try writer.publish()
  }
}

/// A folder that is removed with this object.
final class TemporaryFolder {
  let path: FilePath

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "kelter-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = FilePath(url.path)
  }

  deinit { try? FileManager.default.removeItem(atPath: path.string) }

  func file(_ name: String) -> FilePath { path.appending(name) }
}
