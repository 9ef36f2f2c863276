public import Quantization
public import Tensors

/// A tensor of a container.
public struct ContainedTensor: Sendable, Hashable {
  /// Its place among the tensors, which are sorted by name, expert and part.
  public let index: Int
  /// The name of the source tensor; the parts of a fused one share it.
  public let name: String
  /// The name of the scheme, as `int4-g64`.
  public let scheme: String
  /// What it does, as `expert.down`.
  public let role: String
  public let layer: Int?
  public let expert: Int?
  /// Tells apart tensors that share name and expert.
  public let part: Int
  public let sourceDType: DType
  public let shape: Shape
  public let encoding: TensorEncoding
  /// The extent that holds it.
  public let extentIndex: Int
  /// Where it lies in the file.
  public let byteRange: Range<Int>
  /// Its size without padding: elements, or all planes.
  public let payloadByteCount: Int
  /// Where the planes of a quantized tensor lie, relative to its first byte.
  public let layout: QuantizedLayout?
}

extension ContainerReader {
  /// The number of tensors.
  public var tensorCount: Int { count(.tensors) }

  /// The tensor of this name; of an expert and part where several share it. Without an expert the
  /// part counts from the first of that name.
  /// - Throws: `noSuchTensor`; `damaged` if its record contradicts the format.
  /// - Complexity: O(log tensorCount)
  public func tensor(
    named name: String, expert: Int? = nil, part: Int = 0
  ) throws(ContainerError) -> ContainedTensor {
    let index = try lowerBound(tensorCount) { index throws(ContainerError) in
      let order = try compareString(at: tensorOffset(index), to: name)
      guard order == 0, let expert else { return order < 0 }
      let found = try load(tensorOffset(index) + 28, UInt32.self)
      if found != UInt32(clamping: expert) { return found < UInt32(clamping: expert) }
      return Int(try load(tensorOffset(index) + 32, UInt16.self)) < part
    }
    let place = expert == nil ? index + part : index
    if place < tensorCount, try compareString(at: tensorOffset(place), to: name) == 0 {
      let tensor = try tensor(at: place)
      if expert == nil || (tensor.expert == expert && tensor.part == part) { return tensor }
    }
    throw .noSuchTensor(path: path, name: name, expert: expert, part: part)
  }

  /// All tensors, in their order in the file. Takes memory in proportion to their number.
  public func allTensors() throws(ContainerError) -> [ContainedTensor] {
    var tensors: [ContainedTensor] = []
    tensors.reserveCapacity(tensorCount)
    for index in 0..<tensorCount { tensors.append(try tensor(at: index)) }
    return tensors
  }

  /// The tensor of a record.
  /// - Throws: `damaged` if the record contradicts the format or points outside of the file.
  public func tensor(at index: Int) throws(ContainerError) -> ContainedTensor {
    guard index >= 0, index < tensorCount else {
      throw .noSuchTensor(path: path, name: "#\(index)", expert: nil, part: 0)
    }
    let offset = tensorOffset(index)
    let shape = try loadShape(offset)
    let encoding = try loadEncoding(offset)
    guard let sizes = encoding.sizes(shape) else {
      throw damage(offset + 80, .unknownValue(field: "shape", value: UInt64(shape.rank)))
    }
    let extentIndex = Int(try load(offset + 48, UInt32.self))
    guard extentIndex < extentCount else { throw damage(offset + 48, .outside(field: "extent")) }
    let extent = try extent(at: extentIndex)
    let range = try loadRange(offset + 56, "tensor")
    guard range.lowerBound >= extent.byteRange.lowerBound,
      range.upperBound <= extent.byteRange.lowerBound + extent.usedByteCount,
      range.lowerBound % ContainerFormat.innerAlignment == 0
    else { throw damage(offset + 56, .outside(field: "tensor")) }
    guard range.count == sizes.byteCount else {
      throw damage(offset + 64, .contradiction(field: "byte count"))
    }
    let payloadByteCount = try loadInt(offset + 72, "payload")
    guard payloadByteCount == sizes.payloadByteCount else {
      throw damage(offset + 72, .contradiction(field: "payload byte count"))
    }
    try expectZeros(offset + 52..<offset + 56)
    try expectZeros(offset + (encoding.hasTables ? 152 : 144)..<offset + 192)
    return ContainedTensor(
      index: index, name: try loadString(offset, "name"),
      scheme: try loadString(offset + 8, "scheme"), role: try loadString(offset + 16, "role"),
      layer: try loadIndex(offset + 24), expert: try loadIndex(offset + 28),
      part: Int(try load(offset + 32, UInt16.self)),
      sourceDType: try loadDType(offset + 34, "source dtype"), shape: shape, encoding: encoding,
      extentIndex: extentIndex, byteRange: range, payloadByteCount: payloadByteCount,
      layout: sizes.layout)
  }

  /// Where a tensor's record lies.
  /// - Precondition: there is a record of this index.
  func tensorOffset(_ index: Int) -> Int {
    header.section(.tensors).byteRange.lowerBound + index * SectionKind.tensors.recordByteCount
  }

  private func loadShape(_ offset: Int) throws(ContainerError) -> Shape {
    let rank = Int(try load(offset + 35, UInt8.self))
    guard rank <= ContainerFormat.maximumRank else {
      throw damage(offset + 35, .unknownValue(field: "rank", value: UInt64(rank)))
    }
    var dimensions: [Int] = []
    for axis in 0..<rank { dimensions.append(try loadInt(offset + 80 + 8 * axis, "dimension")) }
    try expectZeros(offset + 80 + 8 * rank..<offset + 144)
    guard let shape = Shape(dimensions) else { throw damage(offset + 80, .outside(field: "shape")) }
    return shape
  }

  private func loadDType(_ offset: Int, _ field: String) throws(ContainerError) -> DType {
    let code = try load(offset, UInt8.self)
    guard let dtype = DTypeCode.dtype(code) else {
      throw damage(offset, .unknownValue(field: field, value: UInt64(code)))
    }
    return dtype
  }

  private func loadEncoding(_ offset: Int) throws(ContainerError) -> TensorEncoding {
    let code = try load(offset + 36, UInt8.self)
    let dtype = try loadDType(offset + 37, "dtype")
    switch EncodingKind(rawValue: code) {
    case .plain:
      try expectZeros(offset + 38..<offset + 48)
      return .plain(dtype)
    case .quantized, .tables:
      let codeFormat = try load(offset + 38, UInt8.self)
      guard let codeFormat = CodeFormat(rawValue: codeFormat) else {
        throw damage(offset + 38, .unknownValue(field: "code format", value: UInt64(codeFormat)))
      }
      let flags = try load(offset + 39, UInt8.self)
      guard flags <= 3 else {
        throw damage(offset + 39, .unknownValue(field: "flags", value: UInt64(flags)))
      }
      func side(_ byteOffset: Int) throws(ContainerError) -> Int? {
        let value = try load(byteOffset, UInt32.self)
        return value == 0 ? nil : Int(value)
      }
      let format = QuantizationFormat(
        code: codeFormat, blockRows: try side(offset + 40), blockColumns: try side(offset + 44),
        scale: dtype, hasZeroPoints: flags & 1 != 0, hasGlobalScale: flags & 2 != 0,
        tableCount: code == EncodingKind.tables.rawValue ? try loadTableCount(offset) : 0)
      guard format.isStorable else {
        let code = UInt64(DTypeCode.code(dtype))
        throw damage(offset + 37, .unknownValue(field: "format or scale dtype", value: code))
      }
      return .quantized(format)
    case nil:
      throw damage(offset + 36, .unknownValue(field: "encoding", value: UInt64(code)))
    }
  }

  /// The number of tables, in a file that says it has such.
  private func loadTableCount(_ offset: Int) throws(ContainerError) -> Int {
    guard requiredFeatures.contains(.tables) else {
      throw damage(offset + 36, .contradiction(field: "required features"))
    }
    let count = try load(offset + 144, UInt32.self)
    guard (1...2).contains(count) else {
      throw damage(offset + 144, .unknownValue(field: "table count", value: UInt64(count)))
    }
    let columns = try load(offset + 148, UInt32.self)
    guard columns == QuantizationFormat.superBlockColumns else {
      let value = UInt64(columns)
      throw damage(offset + 148, .unknownValue(field: "super-block columns", value: value))
    }
    return Int(count)
  }
}
