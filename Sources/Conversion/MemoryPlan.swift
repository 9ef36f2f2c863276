internal import Foundation
import ModelFamilies
import Quantization
import SourceWeights
import Tensors

/// How many threads fit into the memory limit, each holding what its largest unit needs.
struct MemoryPlan {
  /// The number of threads to use.
  let threads: Int

  /// What the process holds besides the threads' buffers: code, headers, plan, streams.
  private static let sharedByteCount = 64 << 20
  private static let floatByteCount = MemoryLayout<Float>.size

  /// - Throws: `ConversionError.memoryLimitTooSmall` if not even one thread fits.
  /// - Parameter tokenCount: how many tokens the layers are measured on; 0 without the gate.
  init(units: [ConversionUnit], options: ConversionOptions, tokenCount tokens: Int) throws {
    let perThread = units.lazy.map { Self.byteCount(of: $0, tokenCount: tokens) }.max() ?? 0
    let hidden =
      units.lazy.filter { $0.kind != .tensors }.map {
        $0.weights.first?.shape.columns ?? 0
      }.max() ?? 0
    // Both streams, their normalized forms, and the three sums of a layer.
    let shared = Self.sharedByteCount + 7 * tokens * hidden * Self.floatByteCount
    guard shared + perThread <= options.memoryLimit else {
      throw ConversionError.memoryLimitTooSmall(
        limit: options.memoryLimit, needed: shared + perThread)
    }
    let wanted = options.threads ?? ProcessInfo.processInfo.activeProcessorCount
    threads = max(1, min(wanted, (options.memoryLimit - shared) / max(1, perThread)))
  }

  /// What one thread holds while it does a unit: tiles as read, decoded, encoded and delivered, the
  /// scales of a weight, the extent's buffer, and for an MLP what its probe computes.
  static func byteCount(of unit: ConversionUnit, tokenCount: Int) -> Int {
    var largest = 0
    for weight in unit.weights {
      let source = weight.source
      let shape = weight.shape
      let rows = min(shape.rows, TileRows.height(columns: shape.columns))
      let tile = rows * shape.columns
      var byteCount = tile * (8 + floatByteCount * 2 + 2) + source.heldByteCount
      // Codes one to a byte, or decoded, before they take the form of the encoding.
      if source.isQuantized { byteCount += tile * (1 + floatByteCount) }
      if case .quantize(let format) = weight.treatment {
        let layout = QuantizedLayout(format: format, rows: shape.rows, columns: shape.columns)
        byteCount += layout.payloadByteCount - layout.codes.count
        if format.neededSummary == .maximum {
          byteCount += TileSource.heldByteCount(elementCount: shape.elementCount)
        }
      }
      if let part = weight.part?.part {
        byteCount += PartReader.heldByteCount(of: part, weight: weight.source)
        // The rows between those that are taken.
        byteCount += tile * (part.outputStride + 1) * 8
      }
      largest = max(largest, byteCount)
    }
    largest += 2 << 20
    guard unit.kind != .tensors, let gate = unit.weights.first?.shape else { return largest }
    // Inputs and outputs of hidden size and two products of intermediate size, for the original on
    // its tokens and for the delivered weights on those and the other stream's.
    let perToken = (3 * gate.columns + 2 * gate.rows) * floatByteCount
    let inputs = max(tokenCount, 16)
    return largest + (tokenCount == 0 ? 0 : 3 * inputs * perToken)
  }
}
