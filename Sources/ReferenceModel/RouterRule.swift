/// How a router turns logits into chosen experts and their weights: every step as a value.
///
/// The steps are, for each token: scores of the logits; scores plus correction bias, used for
/// choosing only; groups that are left out; the `expertsPerToken` largest; the scores of those
/// (without bias), normalized and scaled.
public struct RouterRule: Sendable, Hashable {
  /// What makes scores of logits.
  public enum Scoring: Sendable, Hashable {
    /// 1 / (1 + e^−x), each expert for itself.
    case sigmoid
    /// e^x divided by its sum over all experts.
    case softmax
    /// √(ln(1 + e^x)), each expert for itself.
    case squareRootSoftplus
    /// The logits themselves.
    case logits
  }

  /// Consecutive experts form groups of equal size, of which a token uses only some.
  public struct Groups: Sendable, Hashable {
    /// The score of a group, from those of its experts (with correction bias).
    public enum Scoring: Sendable, Hashable {
      case sumOfTwoLargest
      case largest
    }

    /// The number of groups: `n_group`.
    public let count: Int
    /// The number of groups that a token may use: `topk_group`.
    public let kept: Int
    public let scoring: Scoring

    public init(count: Int, kept: Int, scoring: Scoring = .sumOfTwoLargest) {
      self.count = count
      self.kept = kept
      self.scoring = scoring
    }
  }

  /// Who is chosen.
  public enum Selection: Sendable, Hashable {
    /// The largest scores.
    case largest
    /// The largest logits, one by one. The weight of each is its softmax among the experts not
    /// chosen before whose logit is close: (m − x) / max(|x|, m) ≤ 2 · jitter, m being the largest.
    /// Liu, Gao, Chen 2023 (SparseMixer), as Phi-3.5-MoE evaluates it.
    case sparseMixer(jitter: Float)
  }

  /// What is done to the scores of the chosen experts.
  public enum Normalization: Sendable, Hashable {
    /// They are the weights.
    case none
    /// They are divided by their sum plus `epsilon`.
    case sum(epsilon: Float)
    /// They are divided by their sum, or by `minimum` if that is larger.
    case clampedSum(minimum: Float)
    /// They are divided by (Σ|x|^exponent)^(1/exponent).
    case norm(exponent: Float)
    /// e^x divided by its sum over the chosen.
    case softmax
    /// 1 / (1 + e^−x), each for itself.
    case sigmoid
  }

  public let scoring: Scoring
  public let expertCount: Int
  /// The number of experts that a token is sent to.
  public let expertsPerToken: Int
  /// Nil if all experts compete with each other.
  public let groups: Groups?
  public let selection: Selection
  public let normalization: Normalization
  /// What the weights are multiplied by at last.
  public let scalingFactor: Float
  /// Whether an expert's input is multiplied by its weight, in place of its output.
  public let scalesInput: Bool

  /// - Precondition: `isConsistent` holds for the result.
  public init(
    scoring: Scoring, expertCount: Int, expertsPerToken: Int, groups: Groups? = nil,
    selection: Selection = .largest, normalization: Normalization, scalingFactor: Float = 1,
    scalesInput: Bool = false
  ) {
    precondition(
      Self.isConsistent(
        expertCount: expertCount, expertsPerToken: expertsPerToken, groups: groups))
    self.scoring = scoring
    self.expertCount = expertCount
    self.expertsPerToken = expertsPerToken
    self.groups = groups
    self.selection = selection
    self.normalization = normalization
    self.scalingFactor = scalingFactor
    self.scalesInput = scalesInput
  }

  /// Whether a router can choose so many experts: groups divide the experts evenly, each has as
  /// many as its score needs, and the groups that are kept hold enough experts.
  public static func isConsistent(expertCount: Int, expertsPerToken: Int, groups: Groups?) -> Bool {
    guard expertCount > 0, (1...expertCount).contains(expertsPerToken) else { return false }
    guard let groups else { return true }
    guard groups.count > 0, expertCount % groups.count == 0 else { return false }
    let groupSize = expertCount / groups.count
    let needed = groups.scoring == .largest ? 1 : 2
    return groupSize >= needed && (1...groups.count).contains(groups.kept)
      && expertsPerToken <= groups.kept * groupSize
  }
}
