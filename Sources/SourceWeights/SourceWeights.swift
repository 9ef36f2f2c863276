public import Checkpoints
import Quantization
import Tensors

/// All weights of a checkpoint, every quantized one with the scales that decode it.
///
/// Each tensor is either a weight or the companion of one; whatever fits neither stops here.
public struct SourceWeights: Sendable {
  /// The weights, sorted by the bytes of their names.
  public let weights: [SourceWeight]
  private let positions: [String: Int]

  /// Sorts the tensors out. Values are not read: bad ones among the scales show when a
  /// `WeightReader` reads them.
  public init(checkpoint: Checkpoint) throws(SourceWeightsError) {
    let quantization = try NativeQuantization(config: checkpoint.config)
    var weights: [SourceWeight] = []
    var orphans: [TensorRecord] = []
    var companions: Set<String> = []
    weights.reserveCapacity(checkpoint.tensors.count)
    companions.reserveCapacity(checkpoint.tensors.count / 2)
    for tensor in checkpoint.tensors {
      if tensor.dtype == .f8E4M3 {
        guard let quantization else {
          throw .undeclaredQuantization(tensor: tensor.name, dtype: tensor.dtype)
        }
        let weight = try Self.quantizedWeight(tensor, quantization, checkpoint)
        for companion in weight.companions { companions.insert(companion.name) }
        weights.append(weight)
      } else if ScaleName.isScale(tensor.name) {
        orphans.append(tensor)
      } else {
        weights.append(try Self.plainWeight(tensor))
      }
    }
    for tensor in orphans where !companions.contains(tensor.name) {
      throw Self.orphanError(tensor, checkpoint)
    }
    if let quantization, companions.isEmpty { throw .nothingQuantized(method: quantization.name) }
    self.weights = weights
    positions = Dictionary(
      uniqueKeysWithValues: weights.enumerated().map { ($0.element.name, $0.offset) })
  }

  /// The place in `weights` of the weight whose primary tensor has this name.
  public func index(of name: String) -> Int? { positions[name] }

  /// The weight whose primary tensor has this name.
  public subscript(name: String) -> SourceWeight? { positions[name].map { weights[$0] } }

  /// A tensor whose elements stand for themselves.
  private static func plainWeight(_ tensor: TensorRecord) throws(SourceWeightsError) -> SourceWeight
  {
    if let layout = PackedLayout.name(of: tensor) {
      throw .unsupportedLayout(name: layout, tensor: tensor.name)
    }
    switch tensor.dtype {
    case .f4, .f6E2M3, .f6E3M2, .f8E5M2, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ:
      throw .unsupportedDType(tensor: tensor.name, dtype: tensor.dtype)
    default:
      return SourceWeight(
        shape: tensor.shape, encoding: .plain(tensor.dtype), primary: tensor, companions: [])
    }
  }

  /// An FP8 tensor with its scale.
  private static func quantizedWeight(
    _ tensor: TensorRecord, _ quantization: NativeQuantization, _ checkpoint: Checkpoint
  ) throws(SourceWeightsError) -> SourceWeight {
    let candidates = quantization.scaleSuffixes.map { tensor.name + $0 }
    guard let scale = candidates.lazy.compactMap({ checkpoint[$0] }).first else {
      throw .missingScale(tensor: tensor.name, expected: candidates[0])
    }
    let scaleDType: DType
    switch scale.dtype {
    case .f32, .bf16, .f16, .f8E8M0: scaleDType = scale.dtype
    // Written by tools that lack the E8M0 type; the bytes are the same.
    case .u8: scaleDType = .f8E8M0
    default: throw .wrongScaleDType(tensor: scale.name, dtype: scale.dtype)
    }
    guard let (format, scaleShapes) = quantization.format(of: tensor.shape, scale: scaleDType)
    else {
      throw .unsupportedShape(tensor: tensor.name, shape: tensor.shape)
    }
    guard scaleShapes.contains(scale.shape.dimensions) else {
      throw .wrongScaleShape(
        tensor: scale.name, shape: scale.shape, expected: scaleShapes.last ?? [],
        weightShape: tensor.shape)
    }
    return SourceWeight(
      shape: tensor.shape, encoding: .quantized(format), primary: tensor, companions: [scale])
  }

  /// Why a scale that no weight claimed is wrong.
  private static func orphanError(
    _ scale: TensorRecord, _ checkpoint: Checkpoint
  ) -> SourceWeightsError {
    guard let weight = ScaleName.weight(of: scale.name).flatMap({ checkpoint[$0] }) else {
      return .scaleWithoutWeight(tensor: scale.name)
    }
    if weight.dtype != .f8E4M3, let layout = PackedLayout.name(of: weight) {
      return .unsupportedLayout(name: layout, tensor: weight.name)
    }
    return .scaleOfPlainWeight(tensor: scale.name, weight: weight.name, dtype: weight.dtype)
  }
}
