import Bytes
import Checkpoints
import SourceWeights
import Tensors

extension Inspection {
  /// Describes a GGUF file by its own keys and names, which are llama.cpp's.
  init(gguf checkpoint: Checkpoint, metadata: [String: JSONValue]) throws {
    self.init(checkpoint: checkpoint)
    let weights = try SourceWeights(checkpoint: checkpoint).weights
    family = "GGUF"
    modelType = metadata["general.architecture"]?.string
    parameters.total = weights.reduce(0) { $0 + $1.shape.elementCount }
    encodings = Self.parts(of: zip(weights, weights)) { weight, _ in
      weight.primary.blocks?.name ?? weight.summary
    }
    let prefix = modelType.map { $0 + "." } ?? ""
    func count(_ key: String) -> Int? { metadata[prefix + key]?.int.flatMap { $0 < 0 ? nil : $0 } }
    if let total = count("block_count") {
      let predicting = min(total, count("nextn_predict_layers") ?? 0)
      let mixture = (0..<total).count { checkpoint["blk.\($0).ffn_gate_inp.weight"] != nil }
      layers = Layers(
        total: total - predicting, dense: max(0, total - predicting - mixture),
        mixtureOfExperts: min(mixture, total - predicting), multiTokenPrediction: predicting)
    }
    if let routed = count("expert_count"), routed > 0, let perToken = count("expert_used_count") {
      experts = Experts(
        routed: routed, perToken: perToken,
        shared: checkpoint.tensors.contains { $0.name.contains("_shexp.") })
    }
    if let tokenizer = metadata["tokenizer.ggml.model"]?.string {
      let tokens = metadata["tokenizer.ggml.tokens"]
      let tokenCount = tokens?["element_count"]?.int ?? tokens?.array?.count
      notes.append(
        "the tokenizer (\(tokenizer)\(tokenCount.map { ", \($0) tokens" } ?? "")) lies in the file"
          + " and is not carried into an output")
    }
    notes.append(
      "names and keys are llama.cpp's, by which no family is known: --family generic guesses roles")
  }
}
