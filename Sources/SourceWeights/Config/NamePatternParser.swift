/// A part of a pattern.
indirect enum NamePatternNode {
  case bytes(ByteSet)
  case start
  case end
  case sequence([NamePatternNode])
  case choice([NamePatternNode])
  case repeated(NamePatternNode, minimum: Int, maximum: Int?)

  /// Appends the steps; false if they would be too many.
  func emit(into steps: inout [NamePattern.Step]) -> Bool {
    guard steps.count < NamePattern.maximumStepCount else { return false }
    switch self {
    case .bytes(let set): steps.append(.bytes(set))
    case .start: steps.append(.start)
    case .end: steps.append(.end)
    case .sequence(let nodes):
      for node in nodes where !node.emit(into: &steps) { return false }
    case .choice(let nodes):
      // A fork before each alternative but the last; each jumps to the end.
      var jumps: [Int] = []
      for (index, node) in nodes.enumerated() {
        let fork = steps.count
        let isLast = index == nodes.count - 1
        if !isLast { steps.append(.split(fork + 1, fork + 1)) }
        guard node.emit(into: &steps) else { return false }
        if !isLast {
          jumps.append(steps.count)
          steps.append(.split(0, 0))
          steps[fork] = .split(fork + 1, steps.count)
        }
      }
      for jump in jumps { steps[jump] = .split(steps.count, steps.count) }
    case .repeated(let node, let minimum, let maximum):
      for _ in 0..<minimum {
        let count = steps.count
        guard node.emit(into: &steps) else { return false }
        // What is empty stays so, however often.
        if steps.count == count { break }
      }
      guard let maximum else {
        let fork = steps.count
        steps.append(.split(0, 0))
        guard node.emit(into: &steps) else { return false }
        steps.append(.split(fork, fork))
        steps[fork] = .split(fork + 1, steps.count)
        return true
      }
      var forks: [Int] = []
      for _ in minimum..<max(minimum, maximum) {
        forks.append(steps.count)
        steps.append(.split(0, 0))
        guard node.emit(into: &steps) else { return false }
      }
      for fork in forks { steps[fork] = .split(fork + 1, steps.count) }
    }
    return true
  }
}

/// Reads the text of a pattern.
struct NamePatternParser {
  private static let maximumDepth = 32
  private static let maximumRepetition = 256

  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  /// The whole pattern; nil if it is not understood.
  mutating func parse() -> NamePatternNode? {
    guard bytes.count <= NamePattern.maximumStepCount, let node = choice() else { return nil }
    return position == bytes.count ? node : nil
  }

  private var byte: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard byte == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func choice() -> NamePatternNode? {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth, let first = sequence() else { return nil }
    var alternatives = [first]
    while take("|") {
      guard let next = sequence() else { return nil }
      alternatives.append(next)
    }
    return alternatives.count == 1 ? first : .choice(alternatives)
  }

  private mutating func sequence() -> NamePatternNode? {
    var nodes: [NamePatternNode] = []
    while let byte, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
      guard let atom = atom(), let node = repetition(of: atom) else { return nil }
      nodes.append(node)
    }
    return .sequence(nodes)
  }

  private mutating func atom() -> NamePatternNode? {
    guard let byte else { return nil }
    position += 1
    switch Unicode.Scalar(byte) {
    case ".": return .bytes(.all)
    case "^": return .start
    case "$": return .end
    case "[": return byteClass().map { .bytes($0) }
    case "\\": return escape().map { .bytes($0) }
    case "(":
      if take("?"), !take(":") { return nil }
      guard let node = choice(), take(")") else { return nil }
      return node
    case "*", "+", "?", "{", ")": return nil
    default: return .bytes(ByteSet(byte...byte))
    }
  }

  private mutating func repetition(of atom: NamePatternNode) -> NamePatternNode? {
    var node = atom
    if take("*") {
      node = .repeated(atom, minimum: 0, maximum: nil)
    } else if take("+") {
      node = .repeated(atom, minimum: 1, maximum: nil)
    } else if take("?") {
      node = .repeated(atom, minimum: 0, maximum: 1)
    } else if take("{") {
      let minimum = number()
      let maximum = take(",") ? number() : minimum
      let isOpen = maximum == nil && bytes[position - 1] == UInt8(ascii: ",")
      guard take("}"), minimum != nil || maximum != nil, isOpen || maximum != nil,
        minimum ?? 0 <= Self.maximumRepetition, maximum ?? 0 <= Self.maximumRepetition,
        isOpen || minimum ?? 0 <= maximum ?? 0
      else { return nil }
      node = .repeated(atom, minimum: minimum ?? 0, maximum: maximum)
    } else {
      return node
    }
    // Whether it takes many or few does not matter for whether it matches.
    _ = take("?")
    return node
  }

  private mutating func number() -> Int? {
    var value: Int?
    while let digit = byte, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
      value = min(10_000, (value ?? 0) * 10 + Int(digit - UInt8(ascii: "0")))
      position += 1
    }
    return value
  }

  private mutating func escape() -> ByteSet? {
    guard let byte else { return nil }
    position += 1
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    var set: ByteSet
    switch Unicode.Scalar(byte) {
    case "d", "D": set = ByteSet(digits)
    case "w", "W":
      set = ByteSet(
        digits, UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "_")...UInt8(ascii: "_"))
    case "s", "S": set = ByteSet(9...13, 32...32)
    case "a"..."z", "A"..."Z", "0"..."9": return nil
    default: return ByteSet(byte...byte)
    }
    if byte < UInt8(ascii: "a") { set.invert() }
    return set
  }

  /// What follows an opening bracket, up to the closing one.
  private mutating func byteClass() -> ByteSet? {
    let isInverted = take("^")
    var set = ByteSet()
    var isFirst = true
    while let byte, isFirst || byte != UInt8(ascii: "]") {
      isFirst = false
      position += 1
      if byte == UInt8(ascii: "\\") {
        guard let escaped = escape() else { return nil }
        set.formUnion(escaped)
      } else if position + 1 < bytes.count, bytes[position] == UInt8(ascii: "-"),
        bytes[position + 1] != UInt8(ascii: "]")
      {
        let last = bytes[position + 1]
        guard byte <= last, last != UInt8(ascii: "\\") else { return nil }
        set.insert(byte...last)
        position += 2
      } else {
        set.insert(byte...byte)
      }
    }
    guard take("]") else { return nil }
    if isInverted { set.invert() }
    return set
  }
}
