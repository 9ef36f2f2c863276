import ReferenceModel
import Tensors

extension ModelLayout {
  /// Counts the elements of the weights. They have bytes in files, so that the sums fit.
  func parameters(
    _ weights: [NamedShape], _ assignments: Assignments
  ) -> ParameterCounts {
    var total = 0
    var inExperts = 0
    var inPredictionLayers = 0
    for weight in weights {
      guard let assignment = assignments[weight.name], assignment.role != .buffer else { continue }
      if assignment.role == .multiTokenPrediction
        || assignment.layer.map(isPredictionLayer) ?? false
      {
        inPredictionLayers &+= weight.shape.elementCount
        continue
      }
      total &+= weight.shape.elementCount
      if assignment.role.isExpertWeight { inExperts &+= weight.shape.elementCount }
    }
    // All experts are of one size, and each layer chooses as many.
    var active = total
    if let router {
      active = total &- inExperts &+ inExperts / router.expertCount &* router.expertsPerToken
    }
    return ParameterCounts(
      total: total, activePerToken: active, multiTokenPrediction: inPredictionLayers)
  }

  func notes(layers: [Int]) -> [ModelNote] {
    var notes = family.omissions.map { ModelNote.leftOut(what: $0) }
    let present = layers.count(where: isPredictionLayer)
    if let key = family.predictionLayers, present < predictionLayerCount {
      notes.append(
        .absentPredictionLayers(declared: predictionLayerCount, present: present, key: key))
    }
    return notes
  }
}
