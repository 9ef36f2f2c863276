import Checkpoints
import ModelFamilies
import ReferenceModel
import SystemPackage
import Tensors
import Validation

/// The token ids that the streams start from.
struct TokenIDs: Sendable {
  let ids: [Int]
  /// The token file's name, or `seeded`.
  let name: String

  /// The name of the tensor in a token file.
  static let tensorName = "input_ids"

  /// Ids that are the same for the same seed.
  static func seeded(_ count: Int, below vocabularySize: Int, seed: UInt64) -> [Int] {
    var generator = SplitMix64(seed: seed)
    return (0..<count).map { _ in Int.random(in: 0..<vocabularySize, using: &generator) }
  }

  /// The ids to measure layers on, or nil where none is measured.
  /// - Throws: `ConversionError.cannotMeasure` if the budget limits what cannot be measured, and
  ///   what `init` throws.
  static func measured(
    options: ConversionOptions, description: ModelDescription
  ) throws -> TokenIDs? {
    guard options.gate else { return nil }
    if description.layers.isEmpty {
      guard options.budget.layers.isEmpty, options.budget.experts.isEmpty else {
        throw ConversionError.cannotMeasure(
          reason: "the family \(description.familyName) knows no layer, and the budget limits them")
      }
      return nil
    }
    return try TokenIDs(options: options, description: description)
  }

  /// - Throws: `ConversionError.invalidTokens` and what reading the file throws.
  init(options: ConversionOptions, description: ModelDescription) throws {
    guard let path = options.tokens else {
      ids = Self.seeded(
        options.tokenCount, below: description.vocabularySize, seed: options.seed)
      name = "seeded"
      return
    }
    func invalid(_ reason: String) -> ConversionError {
      .invalidTokens(file: path.string, reason: reason)
    }
    let file = try Self.open(path)
    guard let tensor = file[Self.tensorName] else {
      throw invalid("it has no tensor '\(Self.tensorName)'")
    }
    guard tensor.dtype == .i32 || tensor.dtype == .i64 else {
      throw invalid("'\(Self.tensorName)' is \(tensor.dtype.rawValue), not I32 or I64")
    }
    let ids = try file.integers(of: tensor.prefix(options.tokenCount))
    guard !ids.isEmpty else { throw invalid("'\(Self.tensorName)' is empty") }
    if let outside = ids.first(where: { !(0..<description.vocabularySize).contains($0) }) {
      throw invalid(
        "the id \(outside) is outside of the vocabulary of \(description.vocabularySize)")
    }
    self.ids = ids
    name = path.lastComponent?.string ?? path.string
  }

  private static func open(_ path: FilePath) throws -> Checkpoint {
    do {
      return try Checkpoint(path: path)
    } catch CheckpointsError.unsupportedFile {
      throw ConversionError.invalidTokens(
        file: path.string,
        reason: "a token file is .safetensors, .npz or .npy, with a tensor '\(tensorName)'")
    }
  }
}

extension TensorRecord {
  /// The first elements, as a vector of their own. Whole bytes each.
  fileprivate func prefix(_ count: Int) -> TensorRecord {
    let count = min(count, shape.elementCount)
    let start = byteRange.lowerBound
    return TensorRecord(
      name: name, dtype: dtype, shape: Shape(rows: 1, columns: count), fileIndex: fileIndex,
      byteRange: start..<start + count * dtype.bitsPerElement / 8)
  }
}
