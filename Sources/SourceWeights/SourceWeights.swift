public import Checkpoints
import Quantization
import Tensors

/// All weights of a checkpoint, every quantized one with the tensors that decode it.
///
/// Each tensor is either a weight, the companion of one, or a scale of activations; whatever fits
/// none of these stops here.
public struct SourceWeights: Sendable {
  /// The weights, sorted by the bytes of their names.
  public let weights: [SourceWeight]
  /// Scales of activations and caches that the release was to be run with. No weight needs them.
  public let activationScales: [TensorRecord]
  private let positions: [String: Int]

  /// Sorts the tensors out. Scales are not read: bad ones among them show when a `WeightReader`
  /// reads them.
  public init(checkpoint: Checkpoint) throws(SourceWeightsError) {
    // A GGUF file says of each tensor itself how it is stored.
    let isGGUF = checkpoint.ggufMetadata != nil
    let layout = isGGUF ? nil : try QuantizationSettings(checkpoint: checkpoint)?.layout()
    // A weight in the place of each tensor that holds one, so that they are nearly sorted.
    var found = [SourceWeight?](repeating: nil, count: checkpoint.tensors.count)
    var companions: Set<String> = []
    var isAnyQuantized = false
    if let layout {
      companions.reserveCapacity(checkpoint.tensors.count / 2)
      for (index, tensor) in checkpoint.tensors.enumerated() {
        guard let weight = try layout.weight(of: tensor, in: checkpoint) else { continue }
        for companion in weight.companions { companions.insert(companion.name) }
        found[index] = weight
        isAnyQuantized = true
      }
    }
    var activationScales: [TensorRecord] = []
    for (index, tensor) in checkpoint.tensors.enumerated()
    where found[index] == nil && !companions.contains(tensor.name) {
      if let blocks = tensor.blocks {
        found[index] = tensor.weight(blocks: blocks)
      } else if isGGUF {
        found[index] = tensor.plainWeight
      } else if layout != nil, tensor.isActivationScale {
        activationScales.append(tensor)
      } else {
        found[index] = try tensor.plainWeight(checkpoint, isDeclared: layout != nil)
      }
    }
    if let layout, !isAnyQuantized { throw .nothingQuantized(method: layout.name) }

    var weights = found.compactMap { $0 }
    if zip(weights, weights.dropFirst()).contains(where: {
      !$0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }) {
      weights.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }
    for (weight, next) in zip(weights, weights.dropFirst()) where weight.name == next.name {
      throw .ambiguous(tensor: weight.primary.name, other: next.primary.name)
    }
    self.weights = weights
    self.activationScales = activationScales
    positions = Dictionary(
      uniqueKeysWithValues: weights.enumerated().map { ($0.element.name, $0.offset) })
  }

  /// The place in `weights` of the weight of this name.
  public func index(of name: String) -> Int? { positions[name] }

  /// The weight of this name.
  public subscript(name: String) -> SourceWeight? { positions[name].map { weights[$0] } }
}

extension TensorRecord {
  /// A scale that a runtime multiplies activations with.
  fileprivate var isActivationScale: Bool {
    let names: Set<String> = [
      "input_scale", "input_global_scale", "output_scale", "activation_scale", "q_scale", "k_scale",
      "v_scale", "kv_scale", "prob_scale", "weight.activation_scale",
    ]
    return names.contains(field) && dtype.isPlainFloat
  }

  /// A tensor that no layout claims, as a weight whose elements stand for themselves.
  fileprivate func plainWeight(
    _ checkpoint: Checkpoint, isDeclared: Bool
  ) throws(SourceWeightsError) -> SourceWeight {
    if let owner = CompanionName.weight(of: self) {
      guard let weight = checkpoint[owner] else { throw .companionWithoutWeight(tensor: name) }
      if weight.dtype != .f8E4M3, let layout = PackedLayout.name(of: weight) {
        throw .unsupportedLayout(name: layout, tensor: weight.name)
      }
      throw .scaleOfPlainWeight(tensor: name, weight: weight.name, dtype: weight.dtype)
    }
    if dtype == .f8E4M3 { throw .undeclaredQuantization(tensor: name, dtype: dtype) }
    if let layout = PackedLayout.name(of: self) {
      throw isDeclared
        ? .contradiction(tensor: name, reason: "it looks like \(layout)")
        : .unsupportedLayout(name: layout + " that no quantization_config declares", tensor: name)
    }
    switch dtype {
    case .f4, .f6E2M3, .f6E3M2, .f8E5M2, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ:
      throw .unsupportedDType(tensor: name, dtype: dtype)
    default:
      return plainWeight
    }
  }

  /// The tensor as a weight whose elements stand for themselves.
  fileprivate var plainWeight: SourceWeight {
    SourceWeight(
      name: name, shape: shape, encoding: .plain(dtype), layout: .plain, layoutName: nil,
      primary: self, companions: [])
  }
}
