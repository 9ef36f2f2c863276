import ReferenceModel
import Tensors
import Testing
import Validation

/// The figures of a layer, computed tile by tile with probes, against the whole layer at once.
@Suite struct LayerFigureTests {
  static let hidden = 24
  static let intermediate = 20
  static let expertCount = 6
  static let rule = RouterRule(
    scoring: .sigmoid, expertCount: expertCount, expertsPerToken: 2,
    normalization: .sum(epsilon: 1e-20), scalingFactor: 1.5)
  static let activation = GatedActivation.silu

  /// A layer before and after some noise. The bias keeps expert 2 from every token, in both.
  struct Layers {
    let original: MoELayer
    let delivered: MoELayer

    init(noise: Float, routerNoise: Float) {
      func matrix(_ rows: Int, _ columns: Int, _ stream: UInt64, noise: Float) -> (Matrix, Matrix) {
        let original = Matrix.seededNormal(
          rows: rows, columns: columns, rootMeanSquare: 0.3, seed: 1, stream: [stream])
        let change = Matrix.seededNormal(
          rows: rows, columns: columns, rootMeanSquare: 0.3, seed: 2, stream: [stream])
        let values = zip(original.values, change.values).map { $0 + noise * $1 }
        return (original, Matrix(rows: rows, columns: columns, values: values))
      }
      func mlp(_ stream: UInt64) -> (GatedMLPWeights, GatedMLPWeights) {
        let gate = matrix(intermediate, hidden, 10 * stream, noise: noise)
        let up = matrix(intermediate, hidden, 10 * stream + 1, noise: noise)
        let down = matrix(hidden, intermediate, 10 * stream + 2, noise: noise)
        return (
          GatedMLPWeights(gate: gate.0, up: up.0, down: down.0),
          GatedMLPWeights(gate: gate.1, up: up.1, down: down.1)
        )
      }
      let router = matrix(expertCount, hidden, 1000, noise: routerNoise)
      let experts = (0..<expertCount).map { mlp(UInt64($0) + 1) }
      let shared = mlp(50)
      var bias = [Float](repeating: 0, count: expertCount)
      bias[2] = -10
      func layer(_ part: KeyPath<(Matrix, Matrix), Matrix>, _ isOriginal: Bool) -> MoELayer {
        MoELayer(
          routerWeight: router[keyPath: part], correctionBias: bias, rule: rule,
          experts: experts.map { isOriginal ? $0.0 : $0.1 },
          sharedExpert: isOriginal ? shared.0 : shared.1, sharedExpertGate: nil,
          activation: activation)
      }
      original = layer(\.0, true)
      delivered = layer(\.1, false)
    }

    func routings(_ x: Matrix, _ xDelivered: Matrix) -> LayerInput.Routings {
      func choose(_ layer: MoELayer, _ x: Matrix) -> Routing {
        route(
          logits: x.multiplied(byTransposed: layer.routerWeight), rule: rule,
          correctionBias: layer.correctionBias)
      }
      return .init(
        reference: choose(original, x), local: choose(delivered, x),
        cumulative: choose(delivered, xDelivered))
    }
  }

  static func stream(_ rows: Int, seed: UInt64) -> Matrix {
    .seededNormal(rows: rows, columns: hidden, rootMeanSquare: 1, seed: seed)
  }

  /// Feeds an MLP to a probe in tiles of a few rows.
  static func run(
    _ input: LayerInput, _ share: TokenShare, _ original: GatedMLPWeights,
    _ delivered: GatedMLPWeights, stream: [UInt64]
  ) -> MLPProbe.Result {
    var probe = MLPProbe(
      input: input, share: share, intermediateSize: intermediate, activation: activation, seed: 9,
      stream: stream)
    func feed(
      _ original: Matrix, _ delivered: Matrix,
      _ add: (inout MLPProbe, Range<Int>, Span<Float>, Span<Float>) -> Void
    ) {
      for start in stride(from: 0, to: original.rows, by: 7) {
        let rows = start..<min(original.rows, start + 7)
        let part = rows.lowerBound * original.columns..<rows.upperBound * original.columns
        let tiles = (Array(original.values[part]), Array(delivered.values[part]))
        add(&probe, rows, tiles.0.span, tiles.1.span)
      }
    }
    feed(original.gate, delivered.gate) { $0.addGate(rows: $1, original: $2, delivered: $3) }
    feed(original.up, delivered.up) { $0.addUp(rows: $1, original: $2, delivered: $3) }
    probe.activate()
    feed(original.down, delivered.down) { $0.addDown(rows: $1, original: $2, delivered: $3) }
    return probe.result()
  }

  /// The figures of a layer by way of probes.
  static func entry(_ layers: Layers, _ input: LayerInput) -> Report.LayerEntry {
    var output = LayerOutput(input: input)
    var experts: [Report.ExpertEntry] = []
    for index in 0..<expertCount {
      let result = run(
        input, input.share(ofExpert: index), layers.original.experts[index],
        layers.delivered.experts[index], stream: [UInt64(index)])
      output.add(result)
      experts.append(
        .init(
          expert: index, tokens: result.tokenCount, seeded: result.isSeeded,
          relativeError: result.comparison.relativeError))
    }
    if let original = layers.original.sharedExpert, let delivered = layers.delivered.sharedExpert {
      output.add(run(input, input.shareOfAllTokens, original, delivered, stream: [99]))
    }
    return output.entry(layer: 4, input: input, experts: experts)
  }

  static func compare(_ y: Matrix, _ ŷ: Matrix) -> OutputComparison {
    var comparison = OutputComparison()
    comparison.add(reference: y.values, approximation: ŷ.values)
    return comparison
  }

  static func isClose(_ a: Double?, _ b: Double?, _ tolerance: Double = 1e-5) -> Bool {
    guard let a, let b else { return a == nil && b == nil }
    return abs(a - b) <= tolerance * max(1e-3, abs(b))
  }

  /// With noise in the router, both streams and the same input are routed differently. Without drift
  /// the streams are alike, as in the first layer.
  @Test(arguments: [Float(0), 0.05, 0.6], [Float(0), 0.2])
  func layerAgreesWithTheWholeComputation(routerNoise: Float, driftFactor: Float) throws {
    let layers = Layers(noise: 0.1, routerNoise: routerNoise)
    let x = Self.stream(40, seed: 3)
    let drift = Self.stream(40, seed: 4)
    let xDelivered = Matrix(
      rows: 40, columns: Self.hidden,
      values: zip(x.values, drift.values).map { $0 + driftFactor * $1 })
    let routings = layers.routings(x, xDelivered)
    let input = LayerInput(
      reference: x, delivered: xDelivered, isSeeded: false, routings: routings)
    let entry = Self.entry(layers, input)

    let reference = layers.original.forward(x)
    let local = Self.compare(reference.output, layers.delivered.forward(x).output)
    let cumulative = layers.delivered.forward(xDelivered)
    #expect(entry.layer == 4 && entry.kind == "moe" && entry.input == "tokens")
    #expect(Self.isClose(entry.relativeError, local.relativeError))
    #expect(Self.isClose(entry.cosine, local.cosine))
    #expect(
      Self.isClose(
        entry.cumulativeRelativeError,
        Self.compare(reference.output, cumulative.output).relativeError))

    var common = 0
    for token in 0..<40 {
      common +=
        Set(reference.routing.experts(of: token))
        .intersection(cumulative.routing.experts(of: token)).count
    }
    #expect(entry.routingAgreement == Double(common) / 80)
    if driftFactor > 0 { #expect(common < 80) }
    // The test would prove little if the delivered router never sent a token elsewhere.
    if routerNoise > 0.5 { #expect(routings.local != routings.reference) }
  }

  @Test func everyExpertHasItsOwnFigure() throws {
    let layers = Layers(noise: 0.1, routerNoise: 0)
    let x = Self.stream(40, seed: 3)
    let input = LayerInput(
      reference: x, delivered: x, isSeeded: false, routings: layers.routings(x, x))
    let routing = layers.original.forward(x).routing
    for expert in Self.entry(layers, input).experts {
      let tokens = routing.tokens(of: expert.expert).map(\.token)
      let seen =
        tokens.isEmpty
        ? Matrix.seededNormal(
          rows: MLPProbe.seededInputCount, columns: Self.hidden, rootMeanSquare: x.rootMeanSquare,
          seed: 9, stream: [UInt64(expert.expert)])
        : x.gatheredRows(at: tokens)
      let error = Self.compare(
        layers.original.experts[expert.expert].forward(seen, activation: Self.activation),
        layers.delivered.experts[expert.expert].forward(seen, activation: Self.activation)
      ).relativeError
      #expect(expert.tokens == tokens.count)
      #expect(expert.seeded == tokens.isEmpty)
      #expect(expert.seeded == (expert.expert == 2))
      #expect(Self.isClose(expert.relativeError, error))
      #expect(try #require(expert.relativeError) > 0.01)
    }
  }

  /// A layer that the streams do not reach has no cumulative figure and no agreement.
  @Test func seededLayer() {
    let layers = Layers(noise: 0.1, routerNoise: 0.05)
    let x = Self.stream(16, seed: 5)
    let none = Matrix(rows: 0, columns: Self.hidden)
    let input = LayerInput(
      reference: x, delivered: none, isSeeded: true, routings: layers.routings(x, none))
    let entry = Self.entry(layers, input)
    #expect(entry.input == "seeded" && entry.experts.count == Self.expertCount)
    #expect(entry.cumulativeRelativeError == nil && entry.routingAgreement == nil)
    let local = Self.compare(
      layers.original.forward(x).output, layers.delivered.forward(x).output)
    #expect(Self.isClose(entry.relativeError, local.relativeError))
  }

  @Test func denseLayer() throws {
    let layers = Layers(noise: 0.1, routerNoise: 0)
    let (original, delivered) = (layers.original.experts[0], layers.delivered.experts[0])
    let x = Self.stream(8, seed: 6)
    let xDelivered = Self.stream(8, seed: 7)
    let input = LayerInput(reference: x, delivered: xDelivered, isSeeded: false, routings: nil)
    var output = LayerOutput(input: input)
    output.add(Self.run(input, input.shareOfAllTokens, original, delivered, stream: []))
    let entry = output.entry(layer: 0, input: input, experts: [])
    let y = original.forward(x, activation: Self.activation)
    let local = Self.compare(y, delivered.forward(x, activation: Self.activation))
    let cumulative = Self.compare(y, delivered.forward(xDelivered, activation: Self.activation))
    #expect(entry.kind == "dense" && entry.routingAgreement == nil)
    #expect(Self.isClose(entry.relativeError, local.relativeError))
    #expect(Self.isClose(entry.cumulativeRelativeError, cumulative.relativeError))
  }

  /// The same weights lose nothing at all, though each product is computed twice.
  @Test func sameWeightsLoseNothing() {
    let layers = Layers(noise: 0, routerNoise: 0)
    let x = Self.stream(40, seed: 8)
    let input = LayerInput(
      reference: x, delivered: x, isSeeded: false, routings: layers.routings(x, x))
    let entry = Self.entry(layers, input)
    #expect(Self.isClose(entry.relativeError, 0, 1e-2))
    #expect(entry.routingAgreement == 1)
  }
}
