import Bytes
import Checkpoints
import Quantization
import SourceWeights
public import SystemPackage
import Tensors

/// How much the columns' errors matter in some tensors: a safetensors file with a vector of
/// `columns` numbers (F32, BF16 or F16) for each, named as the tensor. Quantizers that search for
/// scales minimize Σ w·(x − x̂)²; tensors without a vector, or with one of zeros, count all columns
/// alike.
public struct Importance: Sendable {
  private struct Vector: Sendable {
    var tensor: TensorRecord
    /// XXH3-64 of its bytes.
    var checksum: UInt64
    /// Whether all its numbers are zero: no input reached the tensor, so that it tells nothing.
    var isZero: Bool
  }

  /// More columns than any tensor has, as 64 MiB of F32.
  private static let maximumElementCount = 1 << 24

  private let file: String
  private let checkpoint: Checkpoint
  private var vectors: [String: Vector] = [:]
  /// XXH3-64 of the names, the dtypes and the bytes of the vectors, in the order of the names'
  /// bytes.
  public let checksum: UInt64

  /// The number of tensors that have a vector.
  public var count: Int { vectors.count }

  /// Reads and checks all vectors; none is held.
  /// - Throws: `ConversionError.invalidImportance`, and what reading the file throws.
  public init(path: FilePath) throws {
    file = path.string
    checkpoint = try Checkpoint(path: path)
    var checksum = Checksum()
    let ordered = checkpoint.tensors.sorted {
      $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }
    for tensor in ordered {
      func invalid(_ reason: String) -> ConversionError {
        .invalidImportance(file: path.string, reason: "\(tensor.name): \(reason)")
      }
      guard [.f32, .bf16, .f16].contains(tensor.dtype), tensor.shape.rank == 1 else {
        throw invalid("a vector of F32, BF16 or F16 is needed")
      }
      guard tensor.shape.elementCount <= Self.maximumElementCount else {
        throw invalid("\(tensor.shape.elementCount) numbers are more than a tensor has columns")
      }
      let bytes = try checkpoint.bytes(of: tensor)
      for part in [Array(tensor.name.utf8), Array(tensor.dtype.rawValue.utf8), bytes] {
        checksum.update(part.rawSpan)
      }
      let values = Self.values(of: tensor, bytes)
      if let place = values.firstIndex(where: { !Quantizer.isImportance($0) }) {
        throw invalid("element \(place) is negative, infinite or NaN")
      }
      vectors[tensor.name] = Vector(
        tensor: tensor, checksum: Checksum.of(bytes.rawSpan),
        isZero: !values.contains { $0 > 0 })
    }
    self.checksum = checksum.value()
  }

  private static func values(of tensor: TensorRecord, _ bytes: [UInt8]) -> [Float] {
    var values = [Float](repeating: 0, count: tensor.shape.elementCount)
    var span = values.mutableSpan
    ElementConversion.decode(bytes.span, as: tensor.dtype, into: &span)
    return values
  }

  /// The vector of a tensor, or nil if it has none, or one of zeros.
  /// - Throws: `ConversionError.sourceChanged` if it is not any more what it was when it was
  ///   checked.
  func vector(of name: String) throws -> [Float]? {
    guard let vector = vectors[name], !vector.isZero else { return nil }
    let bytes = try checkpoint.bytes(of: vector.tensor)
    guard Checksum.of(bytes.rawSpan) == vector.checksum else {
      throw ConversionError.sourceChanged(file: file)
    }
    return Self.values(of: vector.tensor, bytes)
  }

  /// Says how many of the weights have a vector.
  func note(on weights: [PlannedWeight]) -> String {
    let quantized = weights.filter {
      if case .quantize = $0.treatment { true } else { false }
    }
    let given = quantized.compactMap { vectors[$0.source.name] }
    let zeroCount = given.count(where: \.isZero)
    return "importance of columns was given for \(given.count) of \(quantized.count) quantized"
      + " weights (checksum \(checksum.hexadecimal))"
      + (zeroCount == 0 ? "" : "; \(zeroCount) are all zeros, and their columns count alike")
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
          file: file,
          reason: "\(name) is no tensor that is quantized with scales to search; leave it out")
      }
      for width in widths where width != vector.tensor.shape.elementCount {
        throw .invalidImportance(
          file: file,
          reason: "\(name): \(vector.tensor.shape.elementCount) numbers for \(width) columns")
      }
    }
  }
}
