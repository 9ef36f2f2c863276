public import ReferenceModel
public import Tensors

/// What a layer's MLP receives in both streams, and where its router sends it.
///
/// The reference stream has passed through the original weights. The delivered stream has passed
/// through the quantized weights and keeps its own error.
public struct LayerInput: Sendable {
  /// The reference stream, tokens × hidden size, normalized.
  public let reference: Matrix
  /// The delivered stream, as large, normalized; without rows where the layer is seeded.
  public let delivered: Matrix
  /// Whether both streams are the same bits, as before the first layer that changes them.
  let streamsAreAlike: Bool
  /// Whether `reference` is not the stream from the tokens but seeded numbers.
  public let isSeeded: Bool
  /// The routers' choices; nil for a dense layer.
  public let routings: Routings?
  /// The weights of the shared expert's output; nil where it is added as it is.
  public let sharedExpertWeights: SharedExpertWeights?

  /// A weight for each token.
  public struct SharedExpertWeights: Sendable {
    /// From the original gate on the reference stream.
    public let reference: [Float]
    /// From the delivered gate on the reference stream.
    public let local: [Float]
    /// From the delivered gate on the delivered stream.
    public let cumulative: [Float]

    public init(reference: [Float], local: [Float], cumulative: [Float]) {
      self.reference = reference
      self.local = local
      self.cumulative = cumulative
    }
  }

  /// The choices of a router.
  public struct Routings: Sendable {
    /// The original router on the reference stream.
    public let reference: Routing
    /// The delivered router on the reference stream.
    public let local: Routing
    /// The delivered router on the delivered stream.
    public let cumulative: Routing

    public init(reference: Routing, local: Routing, cumulative: Routing) {
      self.reference = reference
      self.local = local
      self.cumulative = cumulative
    }

    /// The share of (token, slot) choices that the original router on the reference stream and the
    /// delivered router on the delivered stream both make.
    public var agreement: Double {
      guard cumulative.tokenCount > 0 else { return 1 }
      var common = 0
      for token in 0..<reference.tokenCount {
        let chosen = Set(reference.experts(of: token))
        common += cumulative.experts(of: token).count { chosen.contains($0) }
      }
      return Double(common) / Double(reference.experts.count)
    }
  }

  public init(
    reference: Matrix, delivered: Matrix, isSeeded: Bool, routings: Routings?,
    sharedExpertWeights: SharedExpertWeights? = nil
  ) {
    self.sharedExpertWeights = sharedExpertWeights
    self.reference = reference
    self.delivered = delivered
    streamsAreAlike =
      reference.rows == delivered.rows
      && zip(reference.values, delivered.values).allSatisfy { $0.bitPattern == $1.bitPattern }
    self.isSeeded = isSeeded
    self.routings = routings
  }
}

/// The tokens that one MLP of a layer receives, with the weights of its output in their sums.
public struct TokenShare: Sendable {
  /// From the original router on the reference stream.
  public let reference: [Routing.Assignment]
  /// From the delivered router on the reference stream.
  public let local: [Routing.Assignment]
  /// From the delivered router on the delivered stream.
  public let cumulative: [Routing.Assignment]

  public init(
    reference: [Routing.Assignment], local: [Routing.Assignment], cumulative: [Routing.Assignment]
  ) {
    self.reference = reference
    self.local = local
    self.cumulative = cumulative
  }
}

extension LayerInput {
  /// What a routed expert receives.
  /// - Precondition: the layer has a router.
  public func share(ofExpert expert: Int) -> TokenShare {
    guard let routings else { preconditionFailure("a dense layer has no routed experts") }
    return TokenShare(
      reference: Array(routings.reference.tokens(of: expert)),
      local: Array(routings.local.tokens(of: expert)),
      cumulative: Array(routings.cumulative.tokens(of: expert)))
  }

  /// What an MLP receives that every token goes through.
  public var shareOfAllTokens: TokenShare {
    func all(_ count: Int) -> [Routing.Assignment] {
      (0..<count).map { Routing.Assignment(token: $0, weight: 1) }
    }
    return TokenShare(
      reference: all(reference.rows), local: all(reference.rows), cumulative: all(delivered.rows))
  }

  /// What the shared expert receives.
  public var shareOfSharedExpert: TokenShare {
    guard let weights = sharedExpertWeights else { return shareOfAllTokens }
    func all(_ weights: [Float]) -> [Routing.Assignment] {
      weights.enumerated().map { Routing.Assignment(token: $0, weight: $1) }
    }
    return TokenShare(
      reference: all(weights.reference), local: all(weights.local),
      cumulative: all(weights.cumulative))
  }
}
