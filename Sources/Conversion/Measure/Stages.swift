import ModelFamilies

extension ConversionPlan {
  /// A run of units that are done side by side.
  typealias Stage = (units: Range<Int>, layer: LayerDescription?)

  /// The stages of this plan's units.
  func stages(isMeasured: Bool) -> [Stage] {
    Self.stages(of: units, layers: isMeasured ? source.description.layers : [])
  }

  /// The runs of units of one layer, each with the layer if it is one of `layers`, which are to be
  /// measured; all units in one run where none is, so that no thread waits for another.
  static func stages(of units: [ConversionUnit], layers: [LayerDescription]) -> [Stage] {
    if layers.isEmpty { return units.isEmpty ? [] : [(units.indices, nil)] }
    let layers = Dictionary(uniqueKeysWithValues: layers.map { ($0.index, $0) })
    var stages: [Stage] = []
    var start = 0
    for end in 1..<units.count + 1
    where end == units.count || units[end].layer != units[start].layer {
      stages.append((start..<end, units[start].layer.flatMap { layers[$0] }))
      start = end
    }
    return stages
  }
}
