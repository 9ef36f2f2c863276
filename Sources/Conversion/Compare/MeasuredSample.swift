import Bytes
import Quantization
import SourceWeights
import Synchronization
import Tensors

/// What schemes make of a sample, measured as a conversion measures it.
struct MeasuredSample {
  /// For each of the schemes, in their order.
  let schemes: [(error: ErrorEstimate, copiedShare: Double)]
  /// What the user should know.
  let notes: [String]

  /// A tile under one scheme.
  private struct Job: Sendable {
    let tile: TileSample.Tile
    let weight: PlannedWeight

    /// The share of the weight's bytes that belongs to the tile.
    var byteCount: Int {
      weight.sourceByteCount * tile.rows.count / max(1, weight.shape.rows)
    }
  }

  /// - Parameter options: its scheme does not matter.
  init(
    _ sample: TileSample, of source: Source, options: ConversionOptions, schemes: [Scheme],
    progress: @escaping ProgressHandler
  ) throws {
    var jobs: [Job] = []
    // For each stratum, tile and scheme, which job it is. A tile that the recipe decides on has one
    // for all.
    var places: [[[Int]]] = []
    for stratum in sample.strata {
      places.append(
        try stratum.tiles.map { tile in
          var known: [Scheme: Int] = [:]
          return try schemes.map { scheme in
            var options = options
            options.scheme = scheme
            let weight = try PlannedWeight(matrix: source.matrices[tile.matrix], options: options)
            if let job = known[weight.scheme] { return job }
            known[weight.scheme] = jobs.count
            jobs.append(Job(tile: tile, weight: weight))
            return jobs.count - 1
          }
        })
    }
    let statistics = try Self.run(jobs, source: source, options: options, progress: progress)

    self.schemes = schemes.indices.map { scheme in
      var copied = 0
      var strata: [ErrorEstimate.Stratum] = []
      for (stratum, places) in zip(sample.strata, places) {
        let found = places.map { statistics[$0[scheme]] }
        strata.append(
          ErrorEstimate.Stratum(
            tileCount: stratum.tileCount,
            tiles: found.map { ($0.sumOfSquares, $0.sumOfSquaredErrors) }))
        // What is stored alike has the same fate.
        if let first = places.first, jobs[first[scheme]].weight.treatment == .copy {
          copied += stratum.elementCount
        }
      }
      return (ErrorEstimate(strata), Double(copied) / Double(max(1, sample.elementCount)))
    }

    var notes: [String] = []
    if jobs.contains(where: \.weight.isRequantized) {
      notes.append("the source is quantized; errors are against its decoded values")
    }
    if statistics.contains(where: { $0.nonFiniteCount > 0 }) {
      notes.append("some of the sampled weights are NaN or infinite and count for nothing")
    }
    self.notes = notes
  }

  /// Measures each job, in parallel; the statistics lie in the order of the jobs.
  private static func run(
    _ jobs: [Job], source: Source, options: ConversionOptions, progress: @escaping ProgressHandler
  ) throws -> [ErrorStatistics] {
    // A thread holds the buffers of one weight.
    let units = jobs.map { ConversionUnit(kind: .tensors, layer: nil, weights: [$0.weight]) }
    let threads = try MemoryPlan(
      source: source, units: units, options: options, tokenCount: 0
    ).threads
    let total = jobs.reduce(0) { $0 + $1.byteCount }
    let state = Mutex(
      (statistics: [ErrorStatistics](repeating: ErrorStatistics(), count: jobs.count), done: 0))
    try WorkerPool.forEach(count: jobs.count, threads: threads) { index in
      let job = jobs[index]
      let transfer = WeightTransfer(
        weight: job.weight, checkpoint: source.checkpoint, search: options.search,
        importance: options.importance, extent: nil)
      let outcome = try transfer.run(
        tiles: [job.tile.rows], TileObserver(needsValues: false) { _, _, _ in })
      let done = state.withLock { state in
        state.statistics[index] = outcome.statistics
        state.done += job.byteCount
        return state.done
      }
      progress(
        Progress(phase: "compare", detail: job.weight.scheme.rawValue, done: done, total: total))
    }
    return state.withLock { $0.statistics }
  }
}
