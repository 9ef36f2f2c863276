import ModelFamilies
import ReferenceModel
import Tensors

/// Reads what the projections of a layer's routed experts add.
enum ExpertBiases {
  /// Those of each expert, as the source has them and as the output has them; empty if the experts
  /// have none.
  static func all(
    of layer: LayerDescription, weights: WeightTable, pass: any MeasuringPass
  ) throws -> [(original: GatedMLPBiases, delivered: GatedMLPBiases)] {
    let references = layer.mixtureOfExperts?.experts.compactMap(\.biases) ?? []
    // A tensor holds those of all experts: each is read once.
    var tensors: [String: (original: [Float], delivered: [Float])] = [:]
    func values(
      _ reference: WeightReference
    ) throws -> (original: [Float], delivered: [Float]) {
      let weight = try weights.required(reference.name)
      let whole = try tensors[reference.name] ?? pass.values(of: weight)
      tensors[reference.name] = whole
      guard let part = reference.part else { return whole }
      let columns = weight.shape.columns
      func taken(_ values: [Float]) -> [Float] {
        let row = part.storedRows.lowerBound * columns
        return (0..<part.outputCount).map {
          values[row + part.firstOutput + $0 * part.outputStride]
        }
      }
      return (taken(whole.original), taken(whole.delivered))
    }
    return try references.map { biases in
      let (gate, up, down) = (
        try values(biases.gate), try values(biases.up), try values(biases.down)
      )
      return (
        GatedMLPBiases(gate: gate.original, up: up.original, down: down.original),
        GatedMLPBiases(gate: gate.delivered, up: up.delivered, down: down.delivered)
      )
    }
  }
}
