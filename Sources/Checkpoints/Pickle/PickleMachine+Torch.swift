import Tensors

/// What torch makes of the names that a pickle may use.
extension PickleMachine {
  /// The storage that a persistent id names: `("storage", type, key, location, elementCount)`, and
  /// before version 1.6 a view of it, which is None.
  mutating func storage(_ identifier: PickleValue) throws(CheckpointsError) -> PickleValue {
    let opcode = PickleOpcode.binPersistentID.name
    guard case .tuple(let index) = identifier else {
      throw problem(.wrongOperand(opcode: opcode, expected: "the tuple of a storage"))
    }
    let fields = tuples[index]
    guard fields.count == 5 || fields.count == 6 && fields[5] == .none,
      fields[0] == .text("storage"), case .global(.storage(let dtype)) = fields[1],
      case .text(let key) = fields[2], case .text = fields[3],
      case .integer(let elementCount) = fields[4], elementCount >= 0
    else { throw problem(.wrongOperand(opcode: opcode, expected: "the tuple of a storage")) }
    storages.append(PickleStorage(dtype: dtype, key: key, elementCount: elementCount))
    return .storage(storages.count - 1)
  }

  /// What a function or class that is on the list returns for these arguments.
  mutating func call(
    _ callee: PickleValue, with arguments: PickleValue
  ) throws(CheckpointsError) -> PickleValue {
    let opcode = PickleOpcode.reduce.name
    guard case .global(let global) = callee else {
      throw problem(.refusedCall(opcode: opcode, of: "what is no function"))
    }
    guard case .tuple(let index) = arguments else {
      throw problem(.wrongOperand(opcode: opcode, expected: "a tuple of arguments"))
    }
    let fields = tuples[index]
    switch global {
    case .orderedDict: return try orderedDict(fields)
    case .size:
      guard fields.count == 1, let items = items(of: fields[0]) else { break }
      return tuple(items)
    case .device: return .device
    case .rebuildParameter, .rebuildParameterWithState:
      guard case .tensor? = fields.first else { break }
      return fields[0]
    case .rebuildTensor where fields.count == 4:
      return try rebuildTensor(fields, dtype: nil)
    case .rebuildTensorV2 where 6...7 ~= fields.count:
      return try rebuildTensor(fields, dtype: nil)
    case .rebuildTensorV3 where 7...8 ~= fields.count:
      guard case .global(.dtype(let dtype)) = fields[6] else { break }
      return try rebuildTensor(fields, dtype: dtype)
    case .rebuildTensor, .rebuildTensorV2, .rebuildTensorV3: break
    case .storage, .dtype: throw problem(.refusedCall(opcode: opcode, of: global.description))
    }
    throw problem(
      .wrongOperand(opcode: opcode, expected: "the arguments of \(global.description)"))
  }

  /// Sets the state of an object: that of an ordered dict is a note by torch on versions.
  func build(state: PickleValue, of object: PickleValue) throws(CheckpointsError) {
    guard case .dictionary = object, case .dictionary = state else {
      throw problem(
        .refusedCall(opcode: PickleOpcode.build.name, of: "anything but an ordered dict"))
    }
  }

  /// An ordered dict, empty or of a list of pairs.
  private mutating func orderedDict(_ fields: [PickleValue]) throws(CheckpointsError) -> PickleValue
  {
    let result = dictionary()
    guard let pairs = fields.first else { return result }
    let position = dictionaries.count - 1
    guard fields.count == 1, let items = items(of: pairs) else {
      throw problem(
        .wrongOperand(opcode: PickleOpcode.reduce.name, expected: "a list of pairs"))
    }
    pairCount += items.count
    if pairCount > Self.pairLimit { throw problem(.tooMany("pairs", limit: Self.pairLimit)) }
    for item in items {
      guard let pair = self.items(of: item), pair.count == 2 else {
        throw problem(
          .wrongOperand(opcode: PickleOpcode.reduce.name, expected: "a list of pairs"))
      }
      dictionaries[position].append((pair[0], pair[1]))
    }
    return result
  }

  /// `(storage, offset, size, strides, …)`, all in elements.
  private mutating func rebuildTensor(
    _ fields: [PickleValue], dtype: DType?
  ) throws(CheckpointsError) -> PickleValue {
    guard case .storage(let storage) = fields[0], case .integer(let offset) = fields[1],
      let dimensions = counts(of: fields[2]), let strides = counts(of: fields[3]),
      offset >= 0, dimensions.count == strides.count,
      let dtype = dtype ?? storages[storage].dtype
    else {
      throw problem(
        .wrongOperand(
          opcode: PickleOpcode.reduce.name, expected: "a storage, an offset, a size and strides"))
    }
    tensors.append(
      PickleTensor(
        storage: storage, dtype: dtype, offset: offset, dimensions: dimensions, strides: strides))
    return .tensor(tensors.count - 1)
  }

  private func items(of value: PickleValue) -> [PickleValue]? {
    switch value {
    case .tuple(let index): tuples[index]
    case .list(let index): lists[index]
    default: nil
    }
  }

  /// The whole numbers of a tuple, none negative.
  private func counts(of value: PickleValue) -> [Int]? {
    guard let items = items(of: value), items.count <= 64 else { return nil }
    var counts: [Int] = []
    for item in items {
      guard case .integer(let count) = item, count >= 0 else { return nil }
      counts.append(count)
    }
    return counts
  }
}
