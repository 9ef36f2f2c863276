import Checkpoints
import ModelFamilies
import ReferenceModel
import SystemPackage
import Tensors

/// The token ids that the streams start from.
struct TokenIDs: Sendable {
  let ids: [Int]
  /// The token file's name, or `seeded`.
  let name: String

  /// The name of the tensor in a token file.
  static let tensorName = "input_ids"

  /// - Throws: `ConversionError.invalidTokens` and what reading the file throws.
  init(options: ConversionOptions, description: ModelDescription) throws {
    guard let path = options.tokens else {
      var generator = SplitMix64(seed: options.seed)
      ids = (0..<options.tokenCount).map { _ in
        Int.random(in: 0..<description.vocabularySize, using: &generator)
      }
      name = "seeded"
      return
    }
    func invalid(_ reason: String) -> ConversionError {
      .invalidTokens(file: path.string, reason: reason)
    }
    let file = try Checkpoint(path: path)
    guard let tensor = file[Self.tensorName] else {
      throw invalid("it has no tensor '\(Self.tensorName)'")
    }
    guard tensor.dtype == .i32 || tensor.dtype == .i64 else {
      throw invalid("'\(Self.tensorName)' is \(tensor.dtype.rawValue), not I32 or I64")
    }
    let ids = try file.integers(of: tensor).prefix(options.tokenCount)
    guard !ids.isEmpty else { throw invalid("'\(Self.tensorName)' is empty") }
    if let outside = ids.first(where: { !(0..<description.vocabularySize).contains($0) }) {
      throw invalid(
        "the id \(outside) is outside of the vocabulary of \(description.vocabularySize)")
    }
    self.ids = Array(ids)
    name = path.lastComponent?.string ?? path.string
  }
}
