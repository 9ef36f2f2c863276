import ModelFamilies
import Quantization
import Synchronization
import Validation

/// Takes all units through a pass, layer after layer, and collects the figures.
struct MeasuredRun {
  /// What was found.
  struct Outcome: Sendable {
    /// The error of each weight of each unit.
    var statistics: [[ErrorStatistics]]
    /// One entry per layer with an MLP; empty without the gate.
    var layers: [Report.LayerEntry]
  }

  let source: Source
  let units: [ConversionUnit]
  let pass: any MeasuringPass
  let phase: String
  /// The token ids that the streams start from; nil measures no layer.
  let tokens: [Int]?
  let seed: UInt64
  let threads: Int
  let progress: ProgressHandler?

  func run() throws -> Outcome {
    let weights = WeightTable(units: units)
    let layers = Dictionary(
      uniqueKeysWithValues: source.description.layers.map { ($0.index, $0) })
    let statistics = Mutex([[ErrorStatistics]](repeating: [], count: units.count))
    let total = units.reduce(0) { $0 + $1.sourceByteCount }
    let done = Atomic<Int>(0)
    var entries: [Report.LayerEntry] = []
    var streams = try tokens.map {
      try Streams(tokens: $0, description: source.description, weights: weights, pass: pass)
    }

    for stage in stages() {
      let layer = units[stage.lowerBound].layer.flatMap { layers[$0] }
      let measurement = try streams.flatMap { streams in
        try layer.map {
          try LayerMeasurement(
            layer: $0, streams: $0.isMultiTokenPrediction ? nil : streams,
            normEpsilon: source.description.normEpsilon,
            hiddenSize: source.description.hiddenSize,
            vocabularySize: source.description.vocabularySize, seed: seed, weights: weights,
            pass: pass)
        }
      }
      let sink = OrderedSink<(unit: Int, result: MLPProbe.Result?)> { [units] in
        if let result = $0.result { measurement?.add(result, of: units[$0.unit]) }
      }
      let detail = layer.map { "layer \($0.index) of \(source.description.layers.count)" } ?? ""
      try WorkerPool.forEach(count: stage.count, threads: threads) {
        [units, pass, phase, progress] in
        let unit = stage.lowerBound + $0
        let (errors, result) = try Self.process(
          unit, probe: measurement?.probe(of: units[unit]), pass: pass)
        statistics.withLock { $0[unit] = errors }
        try sink.submit((unit, result), index: $0)
        let bytes = units[unit].sourceByteCount
        progress?(
          Progress(
            phase: phase, detail: detail,
            done: done.wrappingAdd(bytes, ordering: .relaxed).newValue, total: total))
      }
      if let measurement {
        let (entry, output) = measurement.finish()
        entries.append(entry)
        if !measurement.layer.isMultiTokenPrediction {
          streams?.add(output, of: measurement.layer, input: measurement.input)
        }
      }
    }
    return Outcome(statistics: statistics.withLock { $0 }, layers: entries)
  }

  /// Takes one unit through the pass, and through its probe if it is an MLP that is measured.
  private static func process(
    _ unit: Int, probe: MLPProbe?, pass: any MeasuringPass
  ) throws -> (errors: [ErrorStatistics], result: MLPProbe.Result?) {
    guard var probe else {
      return (try pass.process(unit: unit) { _ in { _, _, _ in } }, nil)
    }
    var isActivated = false
    let errors = try pass.process(unit: unit) { weight in
      { rows, original, delivered in
        switch weight {
        case 0: probe.addGate(rows: rows, original: original, delivered: delivered)
        case 1: probe.addUp(rows: rows, original: original, delivered: delivered)
        default:
          if !isActivated { probe.activate() }
          isActivated = true
          probe.addDown(rows: rows, original: original, delivered: delivered)
        }
      }
    }
    return (errors, probe.result())
  }

  /// The runs of units of one layer.
  private func stages() -> [Range<Int>] {
    var stages: [Range<Int>] = []
    var start = 0
    for index in units.indices.dropFirst() where units[index].layer != units[start].layer {
      stages.append(start..<index)
      start = index
    }
    if start < units.count { stages.append(start..<units.count) }
    return stages
  }
}
