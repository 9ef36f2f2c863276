import CKernels
import Checkpoints
import Container
internal import Foundation
import ModelFamilies
import Quantization
import ReferenceModel
import SourceWeights
import Tensors
import Validation

/// How many threads fit into the memory limit. Units of one stage are done side by side, so the
/// stage counts whose largest units, one for each thread, need most.
public struct MemoryPlan {
  /// The number of threads to use.
  let threads: Int

  /// What the process holds besides: the libraries' data, what `malloc` keeps, stacks.
  private static let processByteCount = 32 << 20
  /// What is known of each tensor of the source: its records, plans and names.
  private static let byteCountPerTensor = 3 << 10
  private static let floatByteCount = MemoryLayout<Float>.size

  /// - Throws: `ConversionError.memoryLimitTooSmall` if not even one thread fits.
  /// - Parameters:
  ///   - source: the number of its tensors and what its layers pass on.
  ///   - tokens: how many tokens the layers are measured on; 0 without the gate.
  init(
    source: Source, units: [ConversionUnit], options: ConversionOptions, tokenCount tokens: Int
  ) throws {
    // A tensor that must be rearranged is held by whoever reads it, and while that is done twice.
    let rearranged = source.checkpoint.rearrangedByteCount
    let shared =
      Self.processByteCount + ContainerWriter.waitingByteCount
      + Self.byteCountPerTensor * source.checkpoint.tensors.count + rearranged
      + Self.layerByteCount(of: source.description, tokenCount: tokens)
    let stages = ConversionPlan.stages(
      of: units, layers: tokens == 0 ? [] : source.description.layers)
    func needed(threads: Int) -> Int {
      let held = stages.lazy.map { stage in
        let units = units[stage.units]
        let threadsPerMLP = MeasuredRun.threadsPerMLP(of: units, threads: threads)
        let byteCounts = units.map {
          rearranged
            + Self.byteCount(of: $0, tokenCount: tokens, threadsPerMLP: threadsPerMLP)
        }
        return byteCounts.sorted(by: >).prefix(threads).reduce(0, +)
      }
      return shared + (held.max() ?? 0)
    }
    guard needed(threads: 1) <= options.memoryLimit else {
      throw ConversionError.memoryLimitTooSmall(
        limit: options.memoryLimit, needed: needed(threads: 1))
    }
    let wanted = max(1, options.threads ?? ProcessInfo.processInfo.activeProcessorCount)
    var fitting = wanted
    if needed(threads: wanted) > options.memoryLimit {
      fitting = 1
      while needed(threads: fitting + 1) <= options.memoryLimit { fitting += 1 }
    }
    threads = fitting
  }

  /// Sets up `malloc` for runs that follow this plan. Call it before any thread starts.
  public static func configureAllocation() { ck_set_allocation_limits() }

  /// How far the MLPs of a layer may run ahead of the first that is not done: their results wait
  /// for its, because they are summed in order.
  static func lead(threads: Int) -> Int { 4 * threads }

  /// What is held of a layer while its MLPs are measured.
  static func layerByteCount(of description: ModelDescription, tokenCount tokens: Int) -> Int {
    let stream = tokens * description.hiddenSize * floatByteCount
    let expertsPerToken =
      description.layers.lazy.compactMap { $0.mixtureOfExperts?.router.expertsPerToken }.max() ?? 0
    // Both streams, their normalized forms, the three sums, and what the routed experts and those
    // for all tokens return for each stream: at most all of it waits for one slow MLP.
    return stream * (7 + 3 * (expertsPerToken + 1))
  }

  /// What one thread holds while it does a unit: tiles as read, decoded, encoded and delivered, the
  /// scales of a weight, what is collected to be written, and for an MLP what its probe computes.
  static func byteCount(
    of unit: ConversionUnit, tokenCount: Int, threadsPerMLP: Int = 1
  ) -> Int {
    let largest = unit.weights.lazy.map { byteCount(of: $0) }.max() ?? 0
    let held = largest + ContainerWriter.pieceByteCount + 2 << 20
    guard tokenCount > 0, unit.kind != .tensors, let gate = unit.weights.first,
      let down = unit.weights.last
    else { return held }
    // The original takes its tokens, the delivered weights those, in the same memory, and the other
    // stream's. Until gate and up are joined, there are two products for each; in the end there are
    // outputs, their copies without padding, and what of them is handed on.
    let hidden = PaddedMatrix.stride(columns: gate.shape.columns)
    let intermediate = PaddedMatrix.stride(columns: gate.shape.rows)
    let perToken = max(2 * hidden + 6 * intermediate, 8 * hidden + 3 * intermediate)
    let inputs = max(tokenCount, MLPProbe.seededInputCount)
    // The rows of weights that both collect, with their products.
    let collected = [inputs, 2 * inputs].reduce(0) {
      $0
        + GatedMLP.heldByteCount(
          tokens: $1, gate: (gate.shape.columns, gate.tileHeight),
          down: (down.shape.columns, down.tileHeight), threads: threadsPerMLP)
    }
    return held + inputs * perToken * floatByteCount + collected
  }

  /// What is held of a weight while it is transferred.
  private static func byteCount(of weight: PlannedWeight) -> Int {
    let source = weight.source
    let shape = weight.shape
    let tile = weight.tileHeight * shape.columns
    var byteCount = tile * (8 + floatByteCount * 2 + 2) + source.heldByteCount
    byteCount += min(WeightReader.stretchByteCount, source.primary.byteCount)
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
    return byteCount
  }
}
