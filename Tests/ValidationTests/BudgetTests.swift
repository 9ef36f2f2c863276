import Bytes
import Testing
import Validation

@Suite struct BudgetTests {
  @Test func readsEverySection() throws {
    let budget = try Budget(
      yaml: """
        weights: {relative_error: 0.12, max_absolute_error: 1, zeroed_share: 0.5,
                  clipped_share: 0.25, snr_db: 18}
        layers:  {relative_error: 0.20, cumulative_relative_error: 0.40, cosine: 0.9,
                  routing_agreement: 0.85}
        experts: {relative_error: 0.25}
        size:    {bits_per_weight: 4.6, file_bits_per_weight: 5}
        """, file: "b.yaml")
    #expect(
      budget.weights == [
        .relativeError: 0.12, .maximumAbsoluteError: 1, .zeroedShare: 0.5, .clippedShare: 0.25,
        .snrDb: 18,
      ])
    #expect(
      budget.layers == [
        .relativeError: 0.2, .cumulativeRelativeError: 0.4, .cosine: 0.9, .routingAgreement: 0.85,
      ])
    #expect(budget.experts == [.relativeError: 0.25])
    #expect(budget.size == [.bitsPerWeight: 4.6, .fileBitsPerWeight: 5])
    #expect(budget.followsSchemes)
  }

  @Test(arguments: [
    ("", "empty"), ("# nothing\n", "empty"), ("- 1", "mapping of sections"),
    ("weigths: {relative_error: 0.1}", "'weigths' is no section"),
    ("weights: {relativ_error: 0.1}", "no metric 'relativ_error'"),
    ("experts: {cosine: 0.1}", "no metric 'cosine'"), ("layers: 0.1", "'layers' is no mapping"),
    ("size: {bits_per_weight: small}", "'size.bits_per_weight' is no number"),
    ("weights: {relative_error: -0.1}", "is no number from 0"),
    ("weights: {relative_error: .inf}", "is no number from 0"),
    ("weights: {relative_error: .nan}", "is no number from 0"),
    ("weights: {relative_error: 0.1", "b.yaml"), ("? [a]\n: 1", "is no section"),
  ])
  func refuses(yaml: String, reason: String) {
    let error = #expect(throws: ValidationError.self) { try Budget(yaml: yaml, file: "b.yaml") }
    #expect(error?.kind == .usage)
    let text = error?.description ?? ""
    #expect(text.hasPrefix("b.yaml: not a budget: ") && text.contains(reason), "\(text)")
    #expect(!text.contains("\n"))
  }

  /// The violations of one weight and one layer with one expert, all of int4-g32.
  private func violations(
    _ budget: Budget = .default, weight: Double? = 0.08, layer: Double? = 0.1,
    expert: Double? = 0.1, bits: Double = 4.5
  ) -> [String] {
    budget.violations(
      weights: [.sample(relativeError: weight)],
      layers: [.sample(layer: 3, relativeError: layer, experts: [expert])],
      bytes: .init(source: 1, output: 1, bitsPerWeight: bits, fileBitsPerWeight: 6),
      layerErrors: [3: 0.0812]
    ).map { "\($0.metric) \($0.location)" }
  }

  /// 2.5 × 0.0811 for a weight, 4 × 0.0812 for a layer or an expert.
  @Test func defaultLimitsFollowTheSchemes() {
    #expect(violations().isEmpty)
    #expect(violations(weight: 0.202, layer: 0.324, expert: 0.324).isEmpty)
    #expect(violations(weight: 0.203) == ["weights.relative_error w"])
    #expect(violations(layer: 0.325) == ["layers.relative_error layer 3"])
    #expect(violations(expert: 0.325) == ["experts.relative_error layer 3 expert 0"])
    var own = Budget.default
    own.followsSchemes = false
    #expect(violations(own, weight: 9, layer: 9, expert: 9).isEmpty)
  }

  @Test func keptLayersMayDifferByRoundingOnly() {
    func found(_ error: Double) -> Int {
      Budget.default.violations(
        weights: [], layers: [.sample(relativeError: error)],
        bytes: .init(source: 1, output: 1, bitsPerWeight: nil, fileBitsPerWeight: 6),
        layerErrors: [0: 0]
      ).count
    }
    #expect(found(0) == 0)
    #expect(found(9e-6) == 0)
    #expect(found(2e-5) == 1)
  }

  @Test(arguments: [true, false])
  func figuresThatAreNotFiniteAlwaysViolate(followsSchemes: Bool) {
    var budget = Budget.default
    budget.followsSchemes = followsSchemes
    let seeded = budget.violations(
      weights: [.sample(name: "a.weight", relativeError: nil)],
      layers: [
        .sample(layer: 1, relativeError: nil, experts: [nil]),
        .sample(layer: 2, input: "seeded", experts: [0.1]),
      ], bytes: .init(source: 1, output: 1, bitsPerWeight: 4, fileBitsPerWeight: 6),
      layerErrors: [1: 0.1, 2: 0.1])
    #expect(
      seeded.map(\.location) == ["a.weight", "layer 1", "layer 1 expert 0"])
    #expect(seeded.allSatisfy { $0.value == nil && $0.limit.isFinite })

    var layer = Report.LayerEntry.sample(layer: 5, experts: [0.1])
    layer.cumulativeRelativeError = nil
    let cumulative = budget.violations(
      weights: [], layers: [layer],
      bytes: .init(source: 1, output: 1, bitsPerWeight: 4, fileBitsPerWeight: 6), layerErrors: [:])
    #expect(cumulative.map(\.metric) == ["layers.cumulative_relative_error"])
  }

  /// Every metric of a budget stops at its own limit, whichever way it points.
  @Test(arguments: [
    ("weights: {relative_error: 0.0799}", "weights.relative_error"),
    ("weights: {max_absolute_error: 0.0099}", "weights.max_absolute_error"),
    ("weights: {zeroed_share: 0.099}", "weights.zeroed_share"),
    ("weights: {clipped_share: 0.199}", "weights.clipped_share"),
    ("weights: {snr_db: 21.1}", "weights.snr_db"),
    ("layers: {relative_error: 0.099}", "layers.relative_error"),
    ("layers: {cumulative_relative_error: 0.149}", "layers.cumulative_relative_error"),
    ("layers: {cosine: 0.991}", "layers.cosine"),
    ("layers: {routing_agreement: 0.91}", "layers.routing_agreement"),
    ("experts: {relative_error: 0.099}", "experts.relative_error"),
    ("size: {bits_per_weight: 4.4}", "size.bits_per_weight"),
    ("size: {file_bits_per_weight: 5.9}", "size.file_bits_per_weight"),
  ])
  func stopsAtEachLimit(yaml: String, metric: String) throws {
    let found = violations(try Budget(yaml: yaml, file: "b.yaml"))
    #expect(found.count == 1 && found[0].hasPrefix(metric + " "), "\(found)")
  }

  @Test func limitsThemselvesAreAllowed() throws {
    let budget = try Budget(
      yaml: """
        weights: {relative_error: 0.08, max_absolute_error: 0.01, zeroed_share: 0.1,
                  clipped_share: 0.2, snr_db: 21}
        layers: {relative_error: 0.1, cumulative_relative_error: 0.15, cosine: 0.99,
                 routing_agreement: 0.9}
        experts: {relative_error: 0.1}
        size: {bits_per_weight: 4.5, file_bits_per_weight: 6}
        """, file: "b.yaml")
    #expect(violations(budget).isEmpty)
  }

  /// A weight without error has no finite signal-to-noise ratio, and is no violation.
  @Test func exactWeightsPassARatio() throws {
    var entry = Report.WeightEntry.sample(relativeError: 0)
    entry.snrDb = nil
    let budget = try Budget(yaml: "weights: {snr_db: 30}", file: "b.yaml")
    let found = budget.violations(
      weights: [entry], layers: [],
      bytes: .init(source: 1, output: 1, bitsPerWeight: 4, fileBitsPerWeight: 6), layerErrors: [:])
    #expect(found.isEmpty)
  }
}
