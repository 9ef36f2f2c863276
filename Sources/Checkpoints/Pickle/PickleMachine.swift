import Bytes
import SystemPackage
import Tensors

/// Reads a pickle as `torch.save` writes it, and executes nothing.
///
/// A pickle is a program for a stack machine that may name and call any function. This machine
/// knows a short list of names (`PickleGlobal`), knows what each makes of its arguments, and
/// refuses everything else, naming the opcode and what it asked for.
///
/// Source: Lib/pickletools.py of CPython, torch/serialization.py and torch/_utils.py of PyTorch.
package struct PickleMachine {
  /// The longest pickle that is read: some 300,000 tensors.
  static let byteLimit = 64 << 20
  static let opcodeLimit = 16 << 20
  static let stackLimit = 1 << 20
  /// Pairs that ordered dicts are made of: a list may be used for many.
  static let pairLimit = 4 << 20

  let bytes: [UInt8]
  let path: FilePath
  /// Where the pickle begins in the file, or in the zip entry.
  let baseOffset: Int
  /// Where the next opcode is.
  var position: Int
  /// Where the current opcode is.
  private(set) var opcodePosition: Int

  private(set) var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  var pairCount = 0
  var tuples: [[PickleValue]] = []
  var lists: [[PickleValue]] = []
  var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
  var storages: [PickleStorage] = []
  var tensors: [PickleTensor] = []

  init(bytes: [UInt8], from position: Int = 0, path: FilePath, baseOffset: Int = 0) {
    self.bytes = bytes
    self.position = position
    self.path = path
    self.baseOffset = baseOffset
    opcodePosition = position
  }

  /// Runs a pickle that is not in a file, for the fuzzer.
  package init(checking bytes: [UInt8]) throws(CheckpointsError) {
    self.init(bytes: bytes, path: "pickle")
    _ = try run()
  }

  func problem(_ problem: PickleProblem) -> CheckpointsError {
    .pickle(file: path, byteOffset: baseOffset + opcodePosition, problem)
  }

  /// Runs one pickle to its end and returns the value that it leaves.
  mutating func run() throws(CheckpointsError) -> PickleValue {
    stack = []
    marks = []
    memo = [:]
    for _ in 0..<Self.opcodeLimit {
      opcodePosition = position
      let byte = try takeInteger(UInt8.self)
      guard let opcode = PickleOpcode(rawValue: byte) else {
        throw problem(.refusedOpcode(PickleOpcode.name(ofRefused: byte)))
      }
      if opcode == .stop { return try pop(opcode) }
      try execute(opcode)
      if stack.count > Self.stackLimit {
        throw problem(.tooMany("stacked", limit: Self.stackLimit))
      }
    }
    throw problem(.tooMany("opcodes", limit: Self.opcodeLimit))
  }

  private mutating func execute(_ opcode: PickleOpcode) throws(CheckpointsError) {
    switch opcode {
    case .proto:
      let version = Int(try takeInteger(UInt8.self))
      guard 2...5 ~= version else { throw problem(.unsupportedProtocol(version)) }
    case .frame:
      _ = try takeInteger(UInt64.self)
    case .stop: break
    case .mark: marks.append(stack.count)
    case .pop: _ = try pop(opcode)
    case .popMark: _ = try popToMark(opcode)
    case .duplicate: push(try top(opcode))
    case .none: push(.none)
    case .newTrue: push(.boolean(true))
    case .newFalse: push(.boolean(false))
    case .binInt: push(.integer(Int(try takeInteger(Int32.self))))
    case .binInt1: push(.integer(Int(try takeInteger(UInt8.self))))
    case .binInt2: push(.integer(Int(try takeInteger(UInt16.self))))
    case .long1: push(.integer(try takeLong()))
    case .binFloat:
      _ = try take(8)
      push(.number)
    case .shortBinUnicode, .shortBinString:
      push(try text(opcode, UInt64(try takeInteger(UInt8.self))))
    case .binUnicode, .binString: push(try text(opcode, UInt64(try takeInteger(UInt32.self))))
    case .binUnicode8: push(try text(opcode, try takeInteger(UInt64.self)))
    case .shortBinBytes:
      _ = try take(UInt64(try takeInteger(UInt8.self)))
      push(.bytes)
    case .binBytes:
      _ = try take(UInt64(try takeInteger(UInt32.self)))
      push(.bytes)
    case .emptyTuple: push(tuple([]))
    case .tuple: push(tuple(try popToMark(opcode)))
    case .tuple1: push(tuple(try pop(1, opcode)))
    case .tuple2: push(tuple(try pop(2, opcode)))
    case .tuple3: push(tuple(try pop(3, opcode)))
    case .emptyList: push(list([]))
    case .list: push(list(try popToMark(opcode)))
    case .append: try append([try pop(opcode)], opcode)
    case .appends: try append(try popToMark(opcode), opcode)
    case .emptyDict: push(dictionary())
    case .dict:
      let items = try popToMark(opcode)
      push(dictionary())
      try setItems(items, opcode)
    case .setItem: try setItems(try pop(2, opcode), opcode)
    case .setItems: try setItems(try popToMark(opcode), opcode)
    case .binPut: memo[Int(try takeInteger(UInt8.self))] = try top(opcode)
    case .longBinPut: memo[Int(try takeInteger(UInt32.self))] = try top(opcode)
    case .memoize: memo[memo.count] = try top(opcode)
    case .binGet: push(try recall(Int(try takeInteger(UInt8.self))))
    case .longBinGet: push(try recall(Int(try takeInteger(UInt32.self))))
    case .global:
      let module = try takeLine()
      try pushGlobal(opcode, module: module, name: try takeLine())
    case .stackGlobal:
      let names = try pop(2, opcode)
      guard case .text(let module) = names[0], case .text(let name) = names[1] else {
        throw problem(.wrongOperand(opcode: opcode.name, expected: "two texts"))
      }
      try pushGlobal(opcode, module: module, name: name)
    case .binPersistentID: push(try storage(try pop(opcode)))
    case .reduce:
      let operands = try pop(2, opcode)
      push(try call(operands[0], with: operands[1]))
    case .build: try build(state: try pop(opcode), of: try top(opcode))
    }
  }
}

// The stack.
extension PickleMachine {
  private mutating func push(_ value: PickleValue) { stack.append(value) }

  /// The top of the stack that belongs to no earlier mark.
  private func top(_ opcode: PickleOpcode) throws(CheckpointsError) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.last else {
      throw problem(.emptyStack(opcode: opcode.name))
    }
    return value
  }

  private mutating func pop(_ opcode: PickleOpcode) throws(CheckpointsError) -> PickleValue {
    let value = try top(opcode)
    stack.removeLast()
    return value
  }

  private mutating func pop(
    _ count: Int, _ opcode: PickleOpcode
  ) throws(CheckpointsError) -> [PickleValue] {
    guard stack.count - (marks.last ?? 0) >= count else {
      throw problem(.emptyStack(opcode: opcode.name))
    }
    let values = Array(stack.suffix(count))
    stack.removeLast(count)
    return values
  }

  private mutating func popToMark(
    _ opcode: PickleOpcode
  ) throws(CheckpointsError) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw problem(.noMark(opcode: opcode.name)) }
    let values = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return values
  }

  private func recall(_ index: Int) throws(CheckpointsError) -> PickleValue {
    guard let value = memo[index] else { throw problem(.unknownMemo(index)) }
    return value
  }

  mutating func tuple(_ items: [PickleValue]) -> PickleValue {
    tuples.append(items)
    return .tuple(tuples.count - 1)
  }

  private mutating func list(_ items: [PickleValue]) -> PickleValue {
    lists.append(items)
    return .list(lists.count - 1)
  }

  mutating func dictionary() -> PickleValue {
    dictionaries.append([])
    return .dictionary(dictionaries.count - 1)
  }

  private mutating func append(
    _ items: [PickleValue], _ opcode: PickleOpcode
  ) throws(CheckpointsError) {
    guard case .list(let list) = try top(opcode) else {
      throw problem(.wrongOperand(opcode: opcode.name, expected: "a list"))
    }
    lists[list] += items
  }

  private mutating func setItems(
    _ items: [PickleValue], _ opcode: PickleOpcode
  ) throws(CheckpointsError) {
    guard case .dictionary(let index) = try top(opcode), items.count.isMultiple(of: 2) else {
      throw problem(.wrongOperand(opcode: opcode.name, expected: "a dict and pairs"))
    }
    for item in stride(from: 0, to: items.count, by: 2) {
      dictionaries[index].append((items[item], items[item + 1]))
    }
  }
}

// The bytes.
extension PickleMachine {
  private mutating func take(_ count: some BinaryInteger) throws(CheckpointsError) -> ArraySlice<
    UInt8
  > {
    guard count <= bytes.count - position else { throw problem(.truncated) }
    position += Int(count)
    return bytes[(position - Int(count))..<position]
  }

  private mutating func takeInteger<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type
  ) throws(CheckpointsError) -> T {
    guard let value = bytes.littleEndian(at: position, as: type) else { throw problem(.truncated) }
    position += MemoryLayout<T>.size
    return value
  }

  /// A whole number in two's complement, of as few bytes as it needs.
  private mutating func takeLong() throws(CheckpointsError) -> Int {
    let count = Int(try takeInteger(UInt8.self))
    let digits = try take(count)
    guard count <= 8 else { throw problem(.integerTooLong(byteCount: count)) }
    var value: UInt64 = (digits.last ?? 0) >= 0x80 ? .max : 0
    for digit in digits.reversed() { value = value << 8 | UInt64(digit) }
    return Int(Int64(bitPattern: value))
  }

  private mutating func text(
    _ opcode: PickleOpcode, _ count: UInt64
  ) throws(CheckpointsError) -> PickleValue {
    guard let text = String(validating: try take(count), as: UTF8.self) else {
      throw problem(.notUTF8(opcode: opcode.name))
    }
    return .text(text)
  }

  /// A name up to the end of its line.
  private mutating func takeLine() throws(CheckpointsError) -> String {
    let limit = 1024
    guard let end = bytes[position...].prefix(limit).firstIndex(of: 0x0A) else {
      throw problem(
        bytes.count - position < limit ? .truncated : .tooMany("bytes in a name", limit: limit))
    }
    guard let line = String(validating: bytes[position..<end], as: UTF8.self) else {
      throw problem(.notUTF8(opcode: PickleOpcode.global.name))
    }
    position = end + 1
    return line
  }

  private mutating func pushGlobal(
    _ opcode: PickleOpcode, module: String, name: String
  ) throws(CheckpointsError) {
    guard let global = PickleGlobal(module: module, name: name) else {
      throw problem(.refusedGlobal(opcode: opcode.name, name: "\(module).\(name)"))
    }
    push(.global(global))
  }
}
