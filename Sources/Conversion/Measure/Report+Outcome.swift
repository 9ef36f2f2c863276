import Checkpoints
import ModelFamilies
import Quantization
import SourceWeights
import Validation

extension Report {
  /// Puts together what a run found, and lets the budget decide.
  init(
    source: Conversion.Source, options: ConversionOptions, units: [ConversionUnit],
    outcome: MeasuredRun.Outcome, bytes: ByteCounts, tokens: TokenIDs?, fileChecksums: [UInt64?]?,
    notes: [String]
  ) {
    let weights = zip(units, outcome.statistics).flatMap { unit, statistics in
      zip(unit.weights, statistics).filter { $0.0.isQuantized }.map(WeightEntry.init)
    }.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    let violations =
      options.gate
      ? options.budget.violations(
        weights: weights, layers: outcome.layers, bytes: bytes,
        layerErrors: units.layerErrorsOnNormalWeights()) : []

    self.init(
      kelter: Version.package,
      source: Source(
        family: source.description.familyName,
        files: source.checkpoint.files.enumerated().map { index, file in
          SourceFile(
            name: source.checkpoint.name(of: file), bytes: file.byteCount,
            headerChecksum: file.headerChecksum.hexadecimal,
            checksum: fileChecksums?[index]?.hexadecimal)
        }),
      scheme: options.scheme.rawValue, search: options.search.rawValue,
      recipe: options.recipe.text.isEmpty ? nil : options.recipe.text, bytes: bytes,
      measurement: Measurement(
        gate: options.gate, tokens: tokens?.name ?? "none", tokenCount: tokens?.ids.count ?? 0,
        seed: options.seed),
      weights: weights, layers: outcome.layers,
      budget: BudgetResult(
        violations: violations, limits: options.budget == .default ? "default" : "given"),
      notes: notes)
  }
}

extension Report.WeightEntry {
  fileprivate init(_ weight: PlannedWeight, _ statistics: ErrorStatistics) {
    self.init(
      name: weight.source.name, role: weight.role.rawValue, layer: weight.layer,
      expert: weight.expert, scheme: weight.scheme.rawValue,
      // Of nothing but NaN and infinities there is no error to tell.
      relativeError: statistics.count == 0 && statistics.nonFiniteCount > 0
        ? nil : statistics.relativeError.finite,
      snrDb: statistics.signalToQuantizationNoise.finite,
      maximumAbsoluteError: statistics.maximumAbsoluteError.finite,
      zeroedShare: statistics.zeroedShare, clippedShare: statistics.clippedShare,
      nonFiniteCount: statistics.nonFiniteCount)
  }
}

extension [ConversionUnit] {
  /// For each layer, the largest error on normal weights of the schemes of its MLPs.
  fileprivate func layerErrorsOnNormalWeights() -> [Int: Double] {
    var errors: [Int: Double] = [:]
    for unit in self where unit.kind != .tensors {
      guard let layer = unit.layer else { continue }
      for weight in unit.weights {
        let error = weight.scheme.relativeErrorOnNormalWeights
        errors[layer] = Swift.max(errors[layer] ?? 0, error)
      }
    }
    return errors
  }
}

extension UInt64 {
  /// 16 hexadecimal digits.
  var hexadecimal: String {
    let digits = String(self, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
