import Bytes
import Checkpoints
import Quantization
import SourceWeights
public import SystemPackage
import Tensors

/// How much the columns' errors matter in some tensors: a safetensors file with a vector of
/// `columns` numbers (F32, BF16 or F16) for each, named as the tensor. Quantizers that search for
/// scales minimize Σ w·(x − x̂)²; tensors without a vector count all columns alike.
public struct Importance: Sendable {
  private let file: String
  private let checkpoint: Checkpoint
  private let vectors: [String: TensorRecord]
  /// XXH3-64 of the names and the bytes of the vectors, in the order of the names' bytes.
  public let checksum: UInt64

  /// The number of tensors that have a vector.
  public var count: Int { vectors.count }

  /// Reads and checks all vectors; none is held.
  /// - Throws: `ConversionError.invalidImportance`, and what reading the file throws.
  public init(path: FilePath) throws {
    file = path.string
    checkpoint = try Checkpoint(path: path)
    var vectors: [String: TensorRecord] = [:]
    var checksum = Checksum()
    let ordered = checkpoint.tensors.sorted {
      $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }
    for tensor in ordered {
      vectors[tensor.name] = tensor
      let bytes = try checkpoint.bytes(of: tensor)
      checksum.update(Array(tensor.name.utf8).rawSpan)
      checksum.update(bytes.rawSpan)
      let values = try Self.values(of: tensor, bytes, file: path.string)
      if let place = values.firstIndex(where: { !Quantizer.isImportance($0) }) {
        throw ConversionError.invalidImportance(
          file: path.string,
          reason: "\(tensor.name): element \(place) is negative, infinite or NaN")
      }
    }
    self.vectors = vectors
    self.checksum = checksum.value()
  }

  private static func values(
    of tensor: TensorRecord, _ bytes: [UInt8], file: String
  ) throws -> [Float] {
    guard [.f32, .bf16, .f16].contains(tensor.dtype), tensor.shape.rank == 1 else {
      throw ConversionError.invalidImportance(
        file: file, reason: "\(tensor.name): a vector of F32, BF16 or F16 is needed")
    }
    var values = [Float](repeating: 0, count: tensor.shape.elementCount)
    var span = values.mutableSpan
    ElementConversion.decode(bytes.span, as: tensor.dtype, into: &span)
    return values
  }

  /// The vector of a tensor, or nil if it has none.
  func vector(of name: String) throws -> [Float]? {
    guard let tensor = vectors[name] else { return nil }
    return try Self.values(of: tensor, try checkpoint.bytes(of: tensor), file: file)
  }

  /// Says how many of the weights have a vector.
  func note(on weights: [PlannedWeight]) -> String {
    let quantized = weights.filter {
      if case .quantize = $0.treatment { true } else { false }
    }
    let weighed = quantized.count { vectors[$0.source.name] != nil }
    return "importance of columns was given for \(weighed) of \(quantized.count) quantized weights"
      + " (checksum \(checksum.hexadecimal))"
  }

  /// Finds a vector that fits no weight of a plan.
  /// - Throws: `ConversionError.invalidImportance`.
  func check(_ weights: [PlannedWeight]) throws(ConversionError) {
    var columns: [String: Set<Int>] = [:]
    for weight in weights {
      guard case .quantize = weight.treatment else { continue }
      columns[weight.source.name, default: []].insert(weight.shape.columns)
    }
    // A comparison also plans what quantizes nothing.
    if columns.isEmpty { return }
    for (name, vector) in vectors.sorted(by: { $0.key < $1.key }) {
      guard let widths = columns[name] else {
        throw .invalidImportance(
          file: file, reason: "\(name) is no tensor that is quantized with scales to search")
      }
      for width in widths where width != vector.shape.elementCount {
        throw .invalidImportance(
          file: file,
          reason: "\(name): \(vector.shape.elementCount) numbers for \(width) columns")
      }
    }
  }
}
