/// A stretch of the file that is read as one.
public struct ContainedExtent: Sendable, Hashable {
  public let index: Int
  let kind: ExtentKind
  /// Where it lies, padding included: whole pages of 16 KiB.
  public let byteRange: Range<Int>
  /// The size of its contents, without the padding at its end.
  public let usedByteCount: Int
  /// XXH3-64 of all its bytes.
  public let checksum: UInt64
}

/// The experts of a layer.
public struct ContainedLayer: Sendable, Hashable {
  public let layer: Int
  /// The index of its first expert among all experts.
  public let firstExpert: Int
  public let expertCount: Int
  /// The distance from one expert to the next, or nil where they differ in size or spacing.
  public let strideByteCount: Int?
}

/// A routed expert: one extent.
public struct ContainedExpert: Sendable, Hashable {
  public let layer: Int
  public let expert: Int
  public let extentIndex: Int
  /// Where it lies, padding included: whole pages of 16 KiB.
  public let byteRange: Range<Int>
  /// The size of its contents, without the padding at its end.
  public let usedByteCount: Int
  /// The index of each projection's tensor, nil where the expert has none.
  public let gateTensor: Int?
  public let upTensor: Int?
  public let downTensor: Int?
  /// Where each projection starts, relative to the expert's first byte.
  public let gateByteOffset: Int
  public let upByteOffset: Int
  public let downByteOffset: Int
}

extension ContainerReader {
  /// The number of extents.
  public var extentCount: Int { count(.extents) }
  /// The number of routed experts of all layers.
  public var expertCount: Int { count(.experts) }
  /// The number of layers that have routed experts.
  public var layerCount: Int { count(.layers) }

  /// A routed expert.
  /// - Throws: `noSuchExpert`; `damaged` if its record contradicts the format.
  /// - Complexity: O(log expertCount), nothing is parsed or allocated.
  public func expert(layer: Int, expert: Int) throws(ContainerError) -> ContainedExpert {
    guard let wantedLayer = UInt32(exactly: layer), let wantedExpert = UInt32(exactly: expert)
    else { throw .noSuchExpert(path: path, layer: layer, expert: expert) }
    let start = header.section(.experts).byteRange.lowerBound
    let byteCount = SectionKind.experts.recordByteCount
    let index = try lowerBound(expertCount) { index throws(ContainerError) in
      let offset = start + index * byteCount
      let found = try load(offset, UInt32.self)
      if found != wantedLayer { return found < wantedLayer }
      return try load(offset + 4, UInt32.self) < wantedExpert
    }
    if index < expertCount {
      let found = try self.expert(at: index)
      if found.layer == layer, found.expert == expert { return found }
    }
    throw .noSuchExpert(path: path, layer: layer, expert: expert)
  }

  /// The expert of a record; experts are sorted by layer and expert.
  public func expert(at index: Int) throws(ContainerError) -> ContainedExpert {
    guard let offset = recordOffset(.experts, index) else {
      throw .noSuchExpert(path: path, layer: -1, expert: index)
    }
    let extentIndex = Int(try load(offset + 8, UInt32.self))
    guard extentIndex < extentCount else { throw damage(offset + 8, .outside(field: "extent")) }
    let extent = try extent(at: extentIndex)
    guard extent.kind == .expert else { throw damage(offset + 8, .contradiction(field: "extent")) }
    try expectZeros(offset + 12..<offset + 16)
    try expectZeros(offset + 52..<offset + 56)
    let range = try loadRange(offset + 16, "expert")
    let usedByteCount = try loadInt(offset + 32, "expert")
    guard range == extent.byteRange, usedByteCount == extent.usedByteCount else {
      throw damage(offset + 16, .contradiction(field: "expert's place"))
    }
    var tensors: [3 of Int?] = [nil, nil, nil]
    var offsets: [3 of Int] = [0, 0, 0]
    for projection in 0..<3 {
      tensors[projection] = try loadIndex(offset + 40 + 4 * projection)
      offsets[projection] = try loadInt(offset + 56 + 8 * projection, "projection")
      try checkProjection(
        tensors[projection], offset: offsets[projection], in: extent,
        field: offset + 56 + 8 * projection)
    }
    return ContainedExpert(
      layer: Int(try load(offset, UInt32.self)), expert: Int(try load(offset + 4, UInt32.self)),
      extentIndex: extentIndex, byteRange: range, usedByteCount: usedByteCount,
      gateTensor: tensors[0], upTensor: tensors[1], downTensor: tensors[2],
      gateByteOffset: offsets[0], upByteOffset: offsets[1], downByteOffset: offsets[2])
  }

  /// The tensor of a projection must start where the expert's record says.
  private func checkProjection(
    _ tensor: Int?, offset: Int, in extent: ContainedExtent, field: Int
  ) throws(ContainerError) {
    guard let tensor else {
      if offset != 0 { throw damage(field, .contradiction(field: "projection")) }
      return
    }
    guard tensor < tensorCount, offset <= extent.usedByteCount,
      Int(try load(tensorOffset(tensor) + 48, UInt32.self)) == extent.index,
      try loadInt(tensorOffset(tensor) + 56, "tensor") == extent.byteRange.lowerBound + offset
    else { throw damage(field, .contradiction(field: "projection")) }
  }

  /// The extent of a record.
  public func extent(at index: Int) throws(ContainerError) -> ContainedExtent {
    guard let offset = recordOffset(.extents, index) else {
      throw .rangeOutsideFile(path: path, index..<index, byteCount: byteCount)
    }
    let code = try load(offset, UInt32.self)
    guard let kind = ExtentKind(rawValue: code) else {
      throw damage(offset, .unknownValue(field: "extent kind", value: UInt64(code)))
    }
    try expectZeros(offset + 4..<offset + 8)
    let range = try loadRange(offset + 8, "extent")
    guard range.lowerBound % ContainerFormat.alignment == 0,
      range.count % ContainerFormat.alignment == 0
    else { throw damage(offset + 8, .contradiction(field: "extent's alignment")) }
    let usedByteCount = try loadInt(offset + 24, "extent")
    guard usedByteCount <= range.count, range.count - usedByteCount < ContainerFormat.alignment
    else { throw damage(offset + 24, .contradiction(field: "extent's size")) }
    try expectZeros(offset + 40..<offset + 48)
    return ContainedExtent(
      index: index, kind: kind, byteRange: range, usedByteCount: usedByteCount,
      checksum: try load(offset + 32, UInt64.self))
  }

  /// The layer of a record; layers are sorted.
  public func layer(at index: Int) throws(ContainerError) -> ContainedLayer {
    guard let offset = recordOffset(.layers, index) else {
      throw .noSuchExpert(path: path, layer: -1, expert: index)
    }
    try expectZeros(offset + 4..<offset + 8)
    try expectZeros(offset + 24..<offset + 32)
    let first = Int(try load(offset + 8, UInt32.self))
    let count = Int(try load(offset + 12, UInt32.self))
    guard first + count <= expertCount else { throw damage(offset + 8, .outside(field: "experts")) }
    let stride = try loadInt(offset + 16, "stride")
    return ContainedLayer(
      layer: Int(try load(offset, UInt32.self)), firstExpert: first, expertCount: count,
      strideByteCount: stride == 0 ? nil : stride)
  }

  /// The SHA-256 of an extent, nil where the file has none.
  public func digest(ofExtent index: Int) throws(ContainerError) -> [UInt8]? {
    guard let offset = recordOffset(.digests, index) else { return nil }
    return try copy(offset..<offset + SectionKind.digests.recordByteCount)
  }
}
