import Quantization
import Validation

/// What former runs of a conversion have done, so that this one need not.
struct FinishedWork: Sendable {
  /// The error of each weight of the units whose extents are there and sound.
  var statistics: [Int: [ErrorStatistics]] = [:]
  /// The figures of the first layers.
  var layers: [Report.LayerEntry] = []
  /// The first unit of the first layer that has yet to be measured.
  var firstUnmeasuredUnit = 0
  /// Both streams before that layer; nil where they begin with the embeddings.
  var streams: Streams?
}
