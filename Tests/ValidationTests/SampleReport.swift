import Validation

extension Report {
  /// A report of two weights and two layers, to be changed by tests.
  static func sample() -> Report {
    Report(
      kelter: "0.1.0",
      source: .init(
        family: "DeepSeek-V3",
        files: [
          .init(
            name: "model.safetensors", bytes: 1000, headerChecksum: "00000000000000ab",
            checksum: "0123456789abcdef")
        ]),
      scheme: "int4-g32", search: "full", recipe: nil,
      bytes: .init(source: 1000, output: 300, bitsPerWeight: 4.5, fileBitsPerWeight: 4.75),
      measurement: .init(gate: true, tokens: "seeded", tokenCount: 8, seed: 7),
      weights: [
        .sample(name: "model.layers.0.mlp.up_proj.weight", relativeError: 0.08),
        .sample(name: "model.layers.1.mlp.experts.0.down_proj.weight", relativeError: 0.09),
      ],
      layers: [.sample(layer: 0), .sample(layer: 1, experts: [0.1, 0.2])],
      budget: .init(violations: []), notes: ["not read: README.md"])
  }
}

extension Report.WeightEntry {
  static func sample(
    name: String = "w", scheme: String = "int4-g32", relativeError: Double?
  ) -> Report.WeightEntry {
    Report.WeightEntry(
      name: name, role: "expert.down", layer: 1, expert: 0, scheme: scheme,
      relativeError: relativeError, snrDb: 21, maximumAbsoluteError: 0.01, zeroedShare: 0.1,
      clippedShare: 0.2, nonFiniteCount: 0)
  }
}

extension Report.LayerEntry {
  static func sample(
    layer: Int = 0, relativeError: Double? = 0.1, input: String = "tokens",
    experts: [Double?] = []
  ) -> Report.LayerEntry {
    Report.LayerEntry(
      layer: layer, kind: experts.isEmpty ? "dense" : "moe", input: input,
      relativeError: relativeError, cumulativeRelativeError: input == "tokens" ? 0.15 : nil,
      cosine: 0.99, routingAgreement: experts.isEmpty || input == "seeded" ? nil : 0.9,
      experts: experts.enumerated().map {
        .init(expert: $0, tokens: 3, seeded: false, relativeError: $1)
      })
  }
}
