import Bytes
import Quantization
import Tensors

/// A stretch of an extent and what it must hold.
struct ExtentContent: Sendable {
  enum Kind: Sendable {
    /// Anything: codes that have no NaN, integers, files.
    case opaque
    /// Scales, or elements where `isScale` is false.
    case values(DType, isScale: Bool)
    /// The scales of super-blocks, each with a Float16 first.
    case superBlocks(QuantizedLayout)
  }
  var byteRange: Range<Int>
  var kind: Kind
  /// The tensor it belongs to.
  var tensor: Int?
}

/// Checks that the records agree with each other and are in the canonical order.
struct StructureCheck {
  let reader: ContainerReader
  /// The extents whose records are sound.
  private(set) var extents: [ContainedExtent] = []
  /// For each extent of the file its contents, sorted; the bytes between them must be zero.
  private(set) var contents: [[ExtentContent]] = []
  /// Whether the file was made to keep NaN and infinities of its source.
  private(set) var allowsNonFinite = false
  private var extentsEnd = 0
  private var stringsEnd = 0

  init(reader: ContainerReader) { self.reader = reader }

  mutating func run(_ findings: inout [ContainerFinding]) throws(ContainerError) {
    try step(&findings) { (check) throws(ContainerError) in try check.checkMetadata() }
    contents = Array(repeating: [], count: reader.extentCount)
    let indexEnd = reader.header.sections.last?.byteRange.upperBound ?? 0
    extentsEnd = indexEnd.roundedUp(toMultipleOf: ContainerFormat.alignment)
    for index in 0..<reader.extentCount {
      try step(&findings) { (check) throws(ContainerError) in try check.checkExtent(index) }
    }
    try step(&findings) { (check) throws(ContainerError) in try check.checkExtentsEnd() }
    try step(&findings) { (check) throws(ContainerError) in try check.checkTensors() }
    try step(&findings) { (check) throws(ContainerError) in try check.checkExperts() }
    try step(&findings) { (check) throws(ContainerError) in try check.checkErrors() }
    try step(&findings) { (check) throws(ContainerError) in try check.checkFilesAndSources() }
    for extent in extents {
      try step(&findings) { (check) throws(ContainerError) in
        try check.checkContents(of: extent)
      }
    }
  }

  private mutating func step(
    _ findings: inout [ContainerFinding], _ body: (inout Self) throws(ContainerError) -> Void
  ) throws(ContainerError) {
    do throws(ContainerError) {
      try body(&self)
    } catch .damaged(_, let byteOffset, let damage) {
      findings.append(.damage(byteOffset: byteOffset, damage))
    } catch {
      throw error
    }
  }

  private mutating func checkMetadata() throws(ContainerError) {
    let range = reader.header.section(.metadata).byteRange
    let metadata = try reader.metadata()
    guard CanonicalJSON.bytes(of: metadata) == (try reader.copy(range)) else {
      throw reader.damage(range.lowerBound, .malformed(what: "metadata: not canonical"))
    }
    allowsNonFinite = metadata["allow_nonfinite"] == .bool(true)
  }

  /// Extents follow each other without a gap, from the end of the index to the end of the file.
  private mutating func checkExtent(_ index: Int) throws(ContainerError) {
    let extent = try reader.extent(at: index)
    extents.append(extent)
    let start = extentsEnd
    extentsEnd = extent.byteRange.upperBound
    guard extent.byteRange.lowerBound == start else {
      throw damage(.extents, index, 8, .contradiction(field: "extent's offset"))
    }
  }

  private func checkExtentsEnd() throws(ContainerError) {
    guard extentsEnd == reader.byteCount else {
      throw reader.damage(extentsEnd, .contradiction(field: "end of the extents"))
    }
    if reader.features.contains(.digests), reader.count(.digests) != reader.extentCount {
      throw damage(.digests, 0, 0, .contradiction(field: "number of digests"))
    }
  }

  private mutating func checkTensors() throws(ContainerError) {
    var previous: ContainedTensor?
    var hasTables = false
    for index in 0..<reader.tensorCount {
      let tensor = try reader.tensor(at: index)
      for field in [0, 8, 16] { try checkString(reader.tensorOffset(index) + field) }
      if let previous, !previous.precedes(tensor) {
        throw damage(.tensors, index, 0, .unsorted(section: "tensors"))
      }
      contents[tensor.extentIndex] += tensor.contents
      hasTables = hasTables || tensor.encoding.hasTables
      previous = tensor
    }
    guard hasTables == reader.requiredFeatures.contains(.tables) else {
      throw reader.damage(16, .contradiction(field: "required features"))
    }
  }

  /// A string lies where all before it end, or was named before.
  private mutating func checkString(_ byteOffset: Int) throws(ContainerError) {
    let range = try reader.loadStringRange(byteOffset, "string")
    let start = range.lowerBound - reader.header.section(.strings).byteRange.lowerBound
    guard start + range.count <= stringsEnd || start == stringsEnd else {
      throw reader.damage(byteOffset, .contradiction(field: "order of the strings"))
    }
    stringsEnd = max(stringsEnd, start + range.count)
  }

  private func checkExperts() throws(ContainerError) {
    var previous: ContainedExpert?
    var layer = 0
    var ranges: [Range<Int>] = []
    for index in 0..<reader.expertCount {
      let expert = try reader.expert(at: index)
      if let previous, (previous.layer, previous.expert) >= (expert.layer, expert.expert) {
        throw damage(.experts, index, 0, .unsorted(section: "experts"))
      }
      if let previous, previous.layer != expert.layer {
        try checkLayer(layer, previous.layer, first: index - ranges.count, ranges)
        layer += 1
        ranges = []
      }
      guard expert.projectionsAreInOrder else {
        throw damage(.experts, index, 40, .contradiction(field: "order of projections"))
      }
      ranges.append(expert.byteRange)
      previous = expert
    }
    if let previous {
      try checkLayer(layer, previous.layer, first: reader.expertCount - ranges.count, ranges)
      layer += 1
    }
    guard reader.layerCount == layer else {
      throw damage(.layers, 0, 0, .contradiction(field: "number of layers"))
    }
    guard extents.count(where: { $0.kind == .expert }) == reader.expertCount else {
      throw damage(.experts, 0, 0, .contradiction(field: "number of experts"))
    }
  }

  private func checkLayer(
    _ index: Int, _ number: Int, first: Int, _ ranges: [Range<Int>]
  ) throws(ContainerError) {
    guard index < reader.layerCount else {
      throw damage(.layers, 0, 0, .contradiction(field: "number of layers"))
    }
    let layer = try reader.layer(at: index)
    guard layer.layer == number, layer.firstExpert == first, layer.expertCount == ranges.count,
      layer.strideByteCount ?? 0 == ExpertStride.byteCount(of: ranges)
    else { throw damage(.layers, index, 0, .contradiction(field: "layer")) }
  }

  private func checkErrors() throws(ContainerError) {
    var previous = -1
    for index in 0..<reader.count(.errors) {
      let offset = reader.recordOffset(.errors, index) ?? 0
      let tensor = Int(try reader.load(offset, UInt32.self))
      guard tensor > previous, tensor < reader.tensorCount else {
        throw reader.damage(offset, .unsorted(section: "errors"))
      }
      guard try reader.errorRecord(ofTensor: tensor) != nil else {
        throw reader.damage(offset, .unsorted(section: "errors"))
      }
      previous = tensor
    }
  }

  private mutating func checkFilesAndSources() throws(ContainerError) {
    let files = try reader.files()
    for (index, file) in files.enumerated() {
      try checkString(reader.recordOffset(.files, index) ?? 0)
      if index > 0, !files[index - 1].name.utf8Precedes(file.name) {
        throw damage(.files, index, 0, .unsorted(section: "files"))
      }
      if file.extentIndex < contents.count {
        contents[file.extentIndex].append(
          ExtentContent(byteRange: file.byteRange, kind: .opaque, tensor: nil))
      }
    }
    let sources = try reader.sources()
    for (index, source) in sources.enumerated() {
      try checkString(reader.recordOffset(.sources, index) ?? 0)
      if index > 0, !sources[index - 1].name.utf8Precedes(source.name) {
        throw damage(.sources, index, 0, .unsorted(section: "sources"))
      }
    }
    let strings = reader.header.section(.strings).byteRange
    guard stringsEnd == strings.count else {
      throw reader.damage(strings.lowerBound, .contradiction(field: "end of the strings"))
    }
  }

  /// Contents follow each other, each at the next multiple of 64 bytes, and fill their extent.
  private mutating func checkContents(of extent: ContainedExtent) throws(ContainerError) {
    // Records come sorted by name; an empty content lies where the next one starts.
    contents[extent.index].sort {
      ($0.byteRange.lowerBound, $0.byteRange.upperBound)
        < ($1.byteRange.lowerBound, $1.byteRange.upperBound)
    }
    var end = extent.byteRange.lowerBound
    for content in contents[extent.index] {
      guard
        content.byteRange.lowerBound == end.roundedUp(toMultipleOf: ContainerFormat.innerAlignment)
      else {
        throw damage(.extents, extent.index, 24, .contradiction(field: "place of a content"))
      }
      end = content.byteRange.upperBound
    }
    // The zeros after a tensor's last plane belong to it.
    let used = extent.byteRange.lowerBound + extent.usedByteCount
    guard used == end || used == end.roundedUp(toMultipleOf: ContainerFormat.innerAlignment) else {
      throw damage(.extents, extent.index, 24, .contradiction(field: "used bytes"))
    }
  }

  private func damage(
    _ section: SectionKind, _ index: Int, _ field: Int, _ damage: ContainerDamage
  ) -> ContainerError {
    reader.damage(
      reader.header.section(section).byteRange.lowerBound + index * section.recordByteCount + field,
      damage)
  }
}

extension ContainedExpert {
  /// Whether gate, up and down, as far as they are there, follow each other from the start.
  fileprivate var projectionsAreInOrder: Bool {
    let offsets = [
      gateTensor.map { _ in gateByteOffset }, upTensor.map { _ in upByteOffset },
      downTensor.map { _ in downByteOffset },
    ].compactMap(\.self)
    return offsets.first ?? 0 == 0 && offsets == offsets.sorted()
  }
}

extension ContainedTensor {
  /// The order of the tensors in the file.
  fileprivate func precedes(_ other: ContainedTensor) -> Bool {
    if name.utf8Precedes(other.name) { return true }
    if other.name.utf8Precedes(name) { return false }
    let experts = (expert ?? Int(ContainerFormat.none), other.expert ?? Int(ContainerFormat.none))
    return experts.0 == experts.1 ? part < other.part : experts.0 < experts.1
  }

  /// The elements, or the planes: what is not zero by definition.
  fileprivate var contents: [ExtentContent] {
    func content(_ range: Range<Int>, _ kind: ExtentContent.Kind) -> ExtentContent {
      let start = byteRange.lowerBound
      return ExtentContent(
        byteRange: start + range.lowerBound..<start + range.upperBound, kind: kind, tensor: index)
    }
    switch encoding {
    case .plain(let dtype):
      return [content(0..<byteRange.count, .values(dtype, isScale: false))]
    case .quantized(let format):
      guard let layout else { return [] }
      return [
        content(
          layout.codes, format.code == .e4m3 ? .values(.f8E4M3, isScale: false) : .opaque),
        content(
          layout.scales,
          format.tableCount > 0
            ? .superBlocks(layout)
            : .values(format.scale == .u8 ? .f8E8M0 : format.scale, isScale: true)),
        content(layout.zeroPoints, .opaque),
        content(layout.globalScale, .values(.f32, isScale: true)),
        content(layout.tables, .opaque),
      ]
    }
  }
}
