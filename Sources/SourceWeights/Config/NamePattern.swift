/// A regular expression on the names of modules, matched from the name's start as Python's
/// `re.match` does.
///
/// Known are literals, `.`, `[…]`, `(…)`, `(?:…)`, `|`, `*`, `+`, `?`, `{m,n}`, `^`, `$`, `\d`,
/// `\w`, `\s` and escaped punctuation. The time of a match grows with the name, never
/// exponentially, whatever a hostile configuration holds.
struct NamePattern: Sendable, Hashable {
  /// The largest number of steps that a pattern may compile to.
  static let maximumStepCount = 4096

  enum Step: Sendable, Hashable {
    case bytes(ByteSet)
    /// Goes on at both.
    case split(Int, Int)
    case start
    case end
    case match
  }

  let text: String
  private let steps: [Step]

  /// Nil if the pattern is not well formed, or uses what is not known.
  init?(_ text: String) {
    var parser = NamePatternParser(text)
    guard let node = parser.parse() else { return nil }
    var steps: [Step] = []
    guard node.emit(into: &steps) else { return nil }
    steps.append(.match)
    self.text = text
    self.steps = steps
  }

  /// Whether the pattern matches at the start of the name.
  func matches(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    var active: [Int] = []
    var next: [Int] = []
    var mark = [Int](repeating: -1, count: steps.count)
    var pending: [Int] = []
    // Adds a step and all that are reached from it without a byte; true at a match.
    func add(_ first: Int, at position: Int, to list: inout [Int]) -> Bool {
      pending.append(first)
      var found = false
      while let step = pending.popLast() {
        if mark[step] == position { continue }
        mark[step] = position
        switch steps[step] {
        case .split(let one, let other): pending += [one, other]
        case .start: if position == 0 { pending.append(step + 1) }
        case .end: if position == bytes.count { pending.append(step + 1) }
        case .bytes: list.append(step)
        case .match: found = true
        }
      }
      return found
    }
    if add(0, at: 0, to: &active) { return true }
    for (position, byte) in bytes.enumerated() {
      next.removeAll(keepingCapacity: true)
      for step in active {
        if case .bytes(let set) = steps[step], set.contains(byte),
          add(step + 1, at: position + 1, to: &next)
        {
          return true
        }
      }
      swap(&active, &next)
      if active.isEmpty { return false }
    }
    return false
  }
}

/// A set of bytes.
struct ByteSet: Sendable, Hashable {
  private var words = SIMD4<UInt64>()

  static var all: ByteSet {
    var set = ByteSet()
    set.words = SIMD4(repeating: .max)
    return set
  }

  init() {}

  init(_ ranges: ClosedRange<UInt8>...) {
    for range in ranges { insert(range) }
  }

  mutating func insert(_ range: ClosedRange<UInt8>) {
    for byte in range { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }
  }

  mutating func formUnion(_ other: ByteSet) { words |= other.words }
  mutating func invert() { words = ~words }
  func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 == 1 }
}
