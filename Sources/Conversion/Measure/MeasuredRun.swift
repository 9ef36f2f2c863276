import ModelFamilies
import Quantization
import Synchronization
import Tensors
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
      let detail = layer.map { "layer \($0.index + 1) of \(source.description.layers.count)" } ?? ""
      try WorkerPool.forEach(count: stage.count, threads: threads) {
        [units, pass, phase, progress] in
        let unit = stage.lowerBound + $0
        let (errors, result) = try Self.process(
          units[unit], at: unit, probe: measurement?.probe(of: units[unit]), pass: pass
        ) { byteCount in
          let done = done.wrappingAdd(byteCount, ordering: .relaxed).newValue
          progress?(Progress(phase: phase, detail: detail, done: min(done, total), total: total))
        }
        statistics.withLock { $0[unit] = errors }
        try sink.submit((unit, result), index: $0)
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
  /// - Parameter advance: is told the source bytes of each tile that is done.
  private static func process(
    _ unit: ConversionUnit, at index: Int, probe: MLPProbe?, pass: any MeasuringPass,
    advance: @escaping (_ byteCount: Int) -> Void
  ) throws -> (errors: [ErrorStatistics], result: MLPProbe.Result?) {
    var probe = probe
    var isActivated = false
    let errors = try pass.process(unit: index) { place in
      let weight = unit.weights[place]
      let rowByteCount = Double(weight.sourceByteCount) / Double(max(1, weight.shape.rows))
      return TileObserver(needsValues: probe != nil) { rows, original, delivered in
        switch place {
        case _ where probe == nil: break
        case 0: probe?.addGate(rows: rows, original: original, delivered: delivered)
        case 1: probe?.addUp(rows: rows, original: original, delivered: delivered)
        default:
          if !isActivated { probe?.activate() }
          isActivated = true
          probe?.addDown(rows: rows, original: original, delivered: delivered)
        }
        advance(Int((rowByteCount * Double(rows.count)).rounded()))
      }
    }
    return (errors, probe?.result())
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
