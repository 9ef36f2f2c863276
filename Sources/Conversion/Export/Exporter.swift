import Bytes
import Checkpoints
public import Container
internal import Foundation
import Quantization
import Synchronization
public import SystemPackage
import Tensors

/// Writes a container's weights, dequantized, as a folder that Hugging Face tools load.
public struct Exporter: Sendable {
  /// What was written. formats/export.schema.json describes the JSON form.
  public struct Summary: Sendable, Codable, Equatable {
    public var folder: String
    public var format: String
    public var shards: Int
    public var tensors: Int
    /// The bytes of all tensors.
    public var bytes: Int
  }

  private let reader: ContainerReader
  private let format: ExportFormat
  private let threads: Int

  public init(reader: ContainerReader, format: ExportFormat, threads: Int? = nil) {
    self.reader = reader
    self.format = format
    self.threads = threads ?? ProcessInfo.processInfo.activeProcessorCount
  }

  /// Writes the folder: shards, index, config and the container's other files. It appears under its
  /// name when it is complete.
  /// - Throws: `ConversionError.cannotCreateFolder` if it is there already or cannot be made.
  public func export(to folder: FilePath, progress: ProgressHandler? = nil) throws -> Summary {
    let plan = ExportPlan(tensors: try ExportTensor.all(of: reader, format: format))
    try OutputRoom.check(for: plan.byteCount, at: folder)
    // A damaged file would become wrong weights that nobody can tell.
    let findings = try ContainerVerifier.verify(reader, threads: threads) { done, total in
      try Interruption.check()
      progress?(Progress(phase: "check", detail: "", done: done, total: total))
    }
    if let damage = findings.first(where: \.isDamage) {
      throw ConversionError.damagedContainer(
        container: reader.path.string, damage: damage.description)
    }
    let partial = try PartialFolder(folder)
    do {
      try writeShards(plan, to: partial.path, progress: progress)
      try writeFiles(plan, to: partial.path)
      try partial.publish()
    } catch {
      partial.discard()
      throw error
    }
    return Summary(
      folder: folder.string, format: format.rawValue, shards: plan.shards.count,
      tensors: plan.shards.reduce(0) { $0 + $1.tensors.count }, bytes: plan.byteCount)
  }

  private func writeShards(
    _ plan: ExportPlan, to folder: FilePath, progress: ProgressHandler?
  ) throws {
    let done = Atomic<Int>(0)
    for (number, shard) in plan.shards.enumerated() {
      let writer = try SafetensorsWriter(
        file: AtomicFile(path: folder.appending(shard.name), replacing: false),
        tensors: shard.tensors.map {
          .init(name: $0.name, dtype: $0.dtype, shape: $0.shape)
        }, metadata: ["format": "pt"])
      try WorkerPool.forEach(count: shard.tensors.count, threads: threads) { [reader] in
        let tensor = shard.tensors[$0]
        if let whole = tensor.whole {
          try Self.write(whole, of: reader, as: tensor.dtype, to: writer)
        } else {
          try Self.assemble(tensor, of: reader, to: writer)
        }
        let bytes = tensor.byteCount
        progress?(
          Progress(
            phase: "export", detail: "file \(number + 1) of \(plan.shards.count)",
            done: done.wrappingAdd(bytes, ordering: .relaxed).newValue, total: plan.byteCount))
      }
      try writer.publish()
    }
  }

  /// Writes a tensor that the container holds in parts, matrix by matrix.
  private static func assemble(
    _ tensor: ExportTensor, of reader: ContainerReader, to writer: SafetensorsWriter
  ) throws {
    let byteCount = tensor.dtype.bitsPerElement / 8
    try tensor.assemble(reader) { values, row in
      var encoded = [UInt8](repeating: 0, count: values.count * byteCount)
      var bytes = encoded.mutableSpan
      if tensor.dtype == .bf16 {
        ElementConversion.encodeBF16(values.span, into: &bytes)
      } else {
        ElementConversion.encodeF32(values.span, into: &bytes)
      }
      try writer.write(
        encoded.rawSpan, of: tensor.name, at: row * tensor.shape.columns * byteCount)
    }
  }

  /// Writes one tensor, tile by tile.
  private static func write(
    _ tensor: ContainedTensor, of reader: ContainerReader, as dtype: DType,
    to writer: SafetensorsWriter
  ) throws {
    if case .plain(dtype) = tensor.encoding {
      let piece = 8 << 20
      for start in stride(from: 0, to: tensor.byteRange.count, by: piece) {
        try Interruption.check()
        let first = tensor.byteRange.lowerBound + start
        let bytes = try reader.file.bytes(
          in: first..<min(first + piece, tensor.byteRange.upperBound))
        try writer.write(bytes.rawSpan, of: tensor.name, at: start)
      }
      return
    }
    let columns = tensor.shape.columns
    let tiles = TileRows.tiles(
      rows: tensor.shape.rows, columns: columns, multiple: tensor.rowMultiple)
    var rowsOfTensor = try ContainedRows(tensor: tensor, reader: reader)
    let capacity = (tiles.map(\.count).max() ?? 0) * columns
    var values = [Float](repeating: 0, count: capacity)
    let byteCount = dtype.bitsPerElement / 8
    var encoded = [UInt8](repeating: 0, count: capacity * byteCount)
    for rows in tiles {
      try Interruption.check()
      let count = rows.count * columns
      var valueSpan = values.mutableSpan
      var tile = valueSpan.slice(0..<count)
      try rowsOfTensor.read(rows, into: &tile)
      var byteSpan = encoded.mutableSpan
      var bytes = byteSpan.slice(0..<count * byteCount)
      if dtype == .bf16 {
        ElementConversion.encodeBF16(tile.span, into: &bytes)
      } else {
        ElementConversion.encodeF32(tile.span, into: &bytes)
      }
      try writer.write(
        encoded.rawSpan.extracting(first: count * byteCount), of: tensor.name,
        at: rows.lowerBound * columns * byteCount)
    }
  }

  private func writeFiles(_ plan: ExportPlan, to folder: FilePath) throws {
    func write(_ bytes: [UInt8], _ name: String) throws {
      let file = try AtomicFile(path: folder.appending(name), replacing: false)
      try file.write(bytes.rawSpan, at: 0)
      try file.publish()
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    try write(Array(try encoder.encode(plan.index)), "model.safetensors.index.json")
    for file in try reader.files() {
      let bytes = try reader.contents(of: file)
      switch file.name {
      case "config.json":
        let config = try JSONValue(parsing: bytes, file: reader.path)
        let plain = config.dequantized(torchName: format.torchName)
        try write(CanonicalJSON.bytes(of: plain) ?? bytes, file.name)
      // It describes codes that are no longer there.
      case "hf_quant_config.json": break
      default: try write(bytes, file.name)
      }
    }
  }
}

extension JSONValue {
  /// A config of plain weights: without its `quantization_config`, also in `text_config`, and with
  /// the dtype.
  fileprivate func dequantized(torchName: String) -> JSONValue {
    guard case .object(var members) = self else { return self }
    members["quantization_config"] = nil
    members["expert_dtype"] = nil
    if let text = members["text_config"] {
      members["text_config"] = text.dequantized(torchName: torchName)
    }
    // transformers 5 writes `dtype`, all before it `torch_dtype`; both read the latter.
    members["dtype"] = nil
    members["torch_dtype"] = .string(torchName)
    return .object(members)
  }
}
