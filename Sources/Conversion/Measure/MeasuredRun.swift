import Bytes
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
  /// Where finished layers are noted; nil if nobody will go on from here.
  var journal: Journal?
  /// What need not be done again.
  var finished = FinishedWork()

  func run() throws -> Outcome {
    let weights = WeightTable(units: units)
    var known = [[ErrorStatistics]](repeating: [], count: units.count)
    for (unit, errors) in finished.statistics { known[unit] = errors }
    let statistics = Mutex(known)
    let total = units.reduce(0) { $0 + $1.sourceByteCount }
    let done = Atomic<Int>(finished.statistics.keys.reduce(0) { $0 + units[$1].sourceByteCount })
    var entries = finished.layers
    var streams =
      try finished.streams
      ?? tokens.map {
        try Streams(tokens: $0, description: source.description, weights: weights, pass: pass)
      }

    let layers = source.description.layers
    for stage in ConversionPlan.stages(of: units, layers: tokens == nil ? [] : layers) {
      let isFinished = stage.units.lowerBound < finished.firstUnmeasuredUnit
      let measurement = try (isFinished ? nil : streams).flatMap { streams in
        try stage.layer.map {
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
      let missing = stage.units.filter { finished.statistics[$0] == nil }
      let layerCount = layers.count
      let threadsPerMLP = Self.threadsPerMLP(of: missing.map { units[$0] }, threads: threads)
      try WorkerPool.forEach(
        count: missing.count, threads: threads,
        lead: measurement.map { _ in MemoryPlan.lead(threads: threads) }
      ) { [units, pass, phase, progress] in
        // A probe of many tokens takes long to prepare.
        try Interruption.check()
        let unit = missing[$0]
        let layer = units[unit].layer
        let detail = layer.map { "layer \($0 + 1) of \(layerCount)" } ?? ""
        let (errors, result) = try Self.process(
          units[unit], at: unit, probe: measurement?.probe(of: units[unit], threads: threadsPerMLP),
          pass: pass
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
        let isPassed = !measurement.layer.isMultiTokenPrediction
        if isPassed { streams?.add(output, of: measurement.layer, input: measurement.input) }
        try journal?.append(
          LayerRecord(firstUnit: stage.units.lowerBound, entry: entry, streams: nil),
          streams: isPassed ? streams : nil)
      }
    }
    return Outcome(statistics: statistics.withLock { $0 }, layers: entries)
  }

  /// How many threads compute the products of an MLP together: the only one of a dense layer would
  /// leave the other threads without work.
  static func threadsPerMLP(of units: some Sequence<ConversionUnit>, threads: Int) -> Int {
    max(1, threads / max(1, units.count { $0.kind != .tensors }))
  }

  /// Takes one unit through the pass, and through its probe if it is an MLP that is measured.
  /// - Parameter advance: is told the source bytes of each tile that is done.
  private static func process(
    _ unit: ConversionUnit, at index: Int, probe: MLPProbe?, pass: any MeasuringPass,
    advance: @escaping (_ byteCount: Int) -> Void
  ) throws -> (errors: [ErrorStatistics], result: MLPProbe.Result?) {
    if probe != nil { for weight in unit.weights { try weight.checkIsOfWeights() } }
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
          if !isActivated {
            probe?.activate()
            isActivated = true
            try Interruption.check()
          }
          probe?.addDown(rows: rows, original: original, delivered: delivered)
        }
        advance(Int((rowByteCount * Double(rows.count)).rounded()))
      }
    }
    return (errors, probe?.result())
  }
}
