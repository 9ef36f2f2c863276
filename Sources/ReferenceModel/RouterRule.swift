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
  }

  /// Consecutive experts form groups of equal size, of which a token uses only some. A group's
  /// score is the sum of its two largest scores (with correction bias).
  public struct Groups: Sendable, Hashable {
    /// The number of groups: `n_group`.
    public let count: Int
    /// The number of groups that a token may use: `topk_group`.
    public let kept: Int

    public init(count: Int, kept: Int) {
      self.count = count
      self.kept = kept
    }
  }

  /// What is done to the scores of the chosen experts.
  public enum Normalization: Sendable, Hashable {
    /// They are the weights.
    case none
    /// They are divided by their sum plus `epsilon`.
    case sum(epsilon: Float)
  }

  public let scoring: Scoring
  public let expertCount: Int
  /// The number of experts that a token is sent to.
  public let expertsPerToken: Int
  /// Nil if all experts compete with each other.
  public let groups: Groups?
  public let normalization: Normalization
  /// What the weights are multiplied by at last.
  public let scalingFactor: Float

  /// - Precondition: `isConsistent` holds for the result.
  public init(
    scoring: Scoring, expertCount: Int, expertsPerToken: Int, groups: Groups? = nil,
    normalization: Normalization, scalingFactor: Float = 1
  ) {
    precondition(
      Self.isConsistent(
        expertCount: expertCount, expertsPerToken: expertsPerToken, groups: groups))
    self.scoring = scoring
    self.expertCount = expertCount
    self.expertsPerToken = expertsPerToken
    self.groups = groups
    self.normalization = normalization
    self.scalingFactor = scalingFactor
  }

  /// Whether a router can choose so many experts: groups divide the experts evenly, each has the
  /// two that its score needs, and the groups that are kept hold enough experts.
  public static func isConsistent(expertCount: Int, expertsPerToken: Int, groups: Groups?) -> Bool {
    guard expertCount > 0, (1...expertCount).contains(expertsPerToken) else { return false }
    guard let groups else { return true }
    guard groups.count > 0, expertCount % groups.count == 0 else { return false }
    let groupSize = expertCount / groups.count
    return groupSize >= 2 && (1...groups.count).contains(groups.kept)
      && expertsPerToken <= groups.kept * groupSize
  }
}
