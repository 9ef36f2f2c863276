import Bytes
import Container
public import SystemPackage
import Validation

/// Two outputs, or the reports of two, compared figure by figure.
public struct Comparison: Sendable, Codable, Equatable {
  /// One figure in both.
  public struct Change: Sendable, Codable, Equatable {
    /// `weights.relative_error`, `layers.cumulative_relative_error`, `experts.relative_error`,
    /// `bytes.output`.
    public let metric: String
    /// The tensor, layer or expert; `output` for its size.
    public let location: String
    /// Nil where the figure is infinite or no number.
    public let a: Double?
    public let b: Double?
    /// Whether B is better than A; nil if they are equal.
    public let isBetter: Bool?

    enum CodingKeys: String, CodingKey {
      case metric, a, b
      case location = "where"
      case isBetter = "better"
    }
  }

  /// The sizes of the outputs in bytes.
  public let bytesA: Int
  public let bytesB: Int
  /// Every figure that both have, in A's order, and last their sizes.
  public let changes: [Change]
  /// What only one has, as `metric where`.
  public let onlyInA: [String]
  public let onlyInB: [String]
  /// Why figures of A and B may differ though the outputs do not: other tokens, another source.
  public let notes: [String]

  enum CodingKeys: String, CodingKey {
    case changes, notes
    case bytesA = "bytes_a"
    case bytesB = "bytes_b"
    case onlyInA = "only_in_a"
    case onlyInB = "only_in_b"
  }

  public var betterCount: Int { changes.count { $0.isBetter == true } }
  public var worseCount: Int { changes.count { $0.isBetter == false } }
  public var equalCount: Int { changes.count { $0.isBetter == nil } }

  /// Compares two `.kelter` files, two reports in JSON, or one of each.
  /// - Throws: `ConversionError.notComparable` if they share no figure.
  public init(_ a: FilePath, _ b: FilePath) throws {
    let figuresA = try FigureTable(path: a)
    let figuresB = try FigureTable(path: b)
    bytesA = figuresA.byteCount
    bytesB = figuresB.byteCount
    var changes: [Change] = []
    for figure in figuresA.list {
      guard let other = figuresB[figure.key] else { continue }
      changes.append(Change(figure.key, figure.value, other))
    }
    guard !changes.isEmpty else {
      throw ConversionError.notComparable(
        reason: "\(a) and \(b) have no tensor, layer or expert in common")
    }
    let size = FigureTable.Key(metric: "bytes.output", location: "output")
    changes.append(Change(size, Double(bytesA), Double(bytesB)))
    self.changes = changes
    onlyInA = figuresA.list.filter { figuresB[$0.key] == nil }.map(\.key.description)
    notes = MeasurementBasis.differences(figuresA.basis, figuresB.basis)
    onlyInB = figuresB.list.filter { figuresA[$0.key] == nil }.map(\.key.description)
  }
}

extension Comparison.Change {
  /// Compares two figures; an infinity is worse, or better, than any number.
  fileprivate init(_ key: FigureTable.Key, _ a: Double, _ b: Double) {
    self.init(
      metric: key.metric, location: key.location, a: a.finite, b: b.finite,
      isBetter: a == b ? nil : (b < a) != key.growsWhenBetter)
  }
}
