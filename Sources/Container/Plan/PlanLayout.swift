import Bytes
import Tensors

/// The steps that turn planned contents into places. Each refuses what the format cannot say.
struct PlanLayout {
  var extents: [PlannedExtent]
  var files: [PlannedFile]
  var sources: [PlannedSource]
  let metadataByteCount: Int
  let features: OptionalFeatures

  var byteCount = 0
  var extentRanges: [Range<Int>] = []
  var extentUsedByteCounts: [Int] = []
  var tensors: [PlacedTensor] = []
  var firstTensors: [Int] = []
  var tensorOrder: [Int] = []
  var tensorRanks: [Int] = []
  var experts: [PlacedExpert] = []
  var fileOffsets: [Int] = []
  var strings = StringTable()
  var stringByteCount = 0
  var sections: [PlacedSection] = []

  /// No file of a real file system is larger.
  private static let maximumByteCount = 1 << 62

  init(
    extents: [PlannedExtent], files: [PlannedFile], sources: [PlannedSource],
    metadataByteCount: Int, features: OptionalFeatures
  ) {
    self.extents = extents
    self.files = files.sorted { $0.name.utf8Precedes($1.name) }
    self.sources = sources.sorted { $0.name.utf8Precedes($1.name) }
    self.metadataByteCount = metadataByteCount
    self.features = features
  }

  mutating func placeAll() throws(PlanFault) {
    if !files.isEmpty { extents.append(PlannedExtent(kind: .files, tensors: [])) }
    try placeTensors()
    try orderTensors()
    try collectExperts()
    try checkFiles()
    try collectStrings()
    placeSections()
    try placeExtents()
  }

  /// Finds the size alone. In all but schemes and encodings the tensors are those of a plan that is
  /// there, so that they need not be sorted, nor their names be collected again.
  mutating func measure(like plan: ContainerPlan) throws(PlanFault) {
    if !files.isEmpty { extents.append(PlannedExtent(kind: .files, tensors: [])) }
    try placeTensors()
    experts = plan.experts
    stringByteCount = plan.strings.bytes.count
    let (before, after) = (Self.schemes(of: plan.tensors), Self.schemes(of: tensors))
    let otherNames = Set(files.map(\.name) + sources.map(\.name))
    for scheme in before.symmetricDifference(after) where !otherNames.contains(scheme) {
      // A string is stored once, whatever it names.
      let isOtherName = tensors.contains { $0.tensor.name == scheme || $0.tensor.role == scheme }
      if isOtherName { continue }
      stringByteCount += after.contains(scheme) ? scheme.utf8.count : -scheme.utf8.count
    }
    placeSections()
    try placeExtents()
  }

  private static func schemes(of tensors: [PlacedTensor]) -> Set<String> {
    var schemes: Set<String> = []
    var last: String?
    for placed in tensors where placed.tensor.scheme != last {
      last = placed.tensor.scheme
      schemes.insert(placed.tensor.scheme)
    }
    return schemes
  }

  /// Places the tensors in their extents, and the files in theirs.
  private mutating func placeTensors() throws(PlanFault) {
    for (index, extent) in extents.enumerated() {
      firstTensors.append(tensors.count)
      var end = 0
      for tensor in extent.tensors {
        guard tensor.isStorable, let sizes = tensor.encoding.sizes(tensor.shape) else {
          throw PlanFault.unstorable("tensor \(tensor.name)")
        }
        let start = end.roundedUp(toMultipleOf: ContainerFormat.innerAlignment)
        tensors.append(
          PlacedTensor(tensor: tensor, extent: index, offsetInExtent: start, sizes: sizes))
        end = try sum(start, sizes.byteCount)
      }
      if extent.kind == .files {
        for file in files {
          let start = end.roundedUp(toMultipleOf: ContainerFormat.innerAlignment)
          fileOffsets.append(start)
          end = try sum(start, file.byteCount)
        }
      }
      extentUsedByteCounts.append(end)
    }
    firstTensors.append(tensors.count)
  }

  /// Sorts the tensors by name, expert and part, which must tell them apart.
  private mutating func orderTensors() throws(PlanFault) {
    func precedes(_ a: PlannedTensor, _ b: PlannedTensor) -> Bool {
      if a.name.utf8Precedes(b.name) { return true }
      if b.name.utf8Precedes(a.name) { return false }
      let expertA = a.expert ?? Int(ContainerFormat.none)
      let expertB = b.expert ?? Int(ContainerFormat.none)
      return expertA == expertB ? a.part < b.part : expertA < expertB
    }
    tensorOrder = tensors.indices.sorted { precedes(tensors[$0].tensor, tensors[$1].tensor) }
    for (a, b) in zip(tensorOrder, tensorOrder.dropFirst())
    where !precedes(tensors[a].tensor, tensors[b].tensor) {
      throw PlanFault.duplicateTensor(tensors[a].tensor.name)
    }
    tensorRanks = Array(repeating: 0, count: tensors.count)
    for (rank, index) in tensorOrder.enumerated() { tensorRanks[index] = rank }
  }

  /// Finds the projections of each expert, and sorts the experts.
  private mutating func collectExperts() throws(PlanFault) {
    for (index, extent) in extents.enumerated() {
      guard case .expert(let layer, let expert) = extent.kind else { continue }
      guard UInt32.isStorable(layer), UInt32.isStorable(expert) else {
        throw PlanFault.unstorable("expert \(expert) of layer \(layer)")
      }
      var projections: [Int?] = [nil, nil, nil]
      for (offset, tensor) in extent.tensors.enumerated() {
        guard tensor.layer == layer, tensor.expert == expert else {
          throw PlanFault.unstorable("tensor \(tensor.name)")
        }
        guard let projection = tensor.projection else { continue }
        // In their order, each once, and before all that is no projection.
        guard offset == projections.count(where: { $0 != nil }),
          projections[projection.rawValue...].allSatisfy({ $0 == nil })
        else {
          throw PlanFault.wrongProjections(layer: layer, expert: expert)
        }
        projections[projection.rawValue] = firstTensors[index] + offset
      }
      experts.append(
        PlacedExpert(layer: layer, expert: expert, extent: index, projections: projections))
    }
    experts.sort { ($0.layer, $0.expert) < ($1.layer, $1.expert) }
    for (a, b) in zip(experts, experts.dropFirst()) where (a.layer, a.expert) == (b.layer, b.expert)
    {
      throw PlanFault.duplicateExpert(layer: a.layer, expert: a.expert)
    }
  }

  private func checkFiles() throws(PlanFault) {
    for names in [files.map(\.name), sources.map(\.name)] {
      for (a, b) in zip(names, names.dropFirst()) where !a.utf8Precedes(b) {
        throw PlanFault.duplicateFile(a)
      }
    }
    for source in sources where source.byteCount < 0 || source.headerByteCount < 0 {
      throw PlanFault.unstorable("file \(source.name)")
    }
    for file in files where file.byteCount < 0 || !file.name.isFileName {
      throw PlanFault.unstorable("file \(file.name)")
    }
  }

  /// Collects the strings in the order in which the records name them.
  private mutating func collectStrings() throws(PlanFault) {
    var wanted: [String] = []
    for index in tensorOrder {
      wanted += [
        tensors[index].tensor.name, tensors[index].tensor.scheme, tensors[index].tensor.role,
      ]
    }
    wanted += files.map(\.name)
    wanted += sources.map(\.name)
    for string in wanted where strings.insert(string) == nil {
      throw PlanFault.tooLarge
    }
    stringByteCount = strings.bytes.count
  }

  private mutating func placeSections() {
    var end = ContainerFormat.headerByteCount
    for kind in SectionKind.all(features: features) {
      let count =
        switch kind {
        case .metadata: metadataByteCount
        case .strings: stringByteCount
        case .tensors: tensors.count
        case .extents, .digests: extents.count
        case .layers: Set(experts.map(\.layer)).count
        case .experts: experts.count
        case .errors: tensors.count { $0.tensor.hasErrorRecord }
        case .files: files.count
        case .sources: sources.count
        }
      let start = end.roundedUp(toMultipleOf: ContainerFormat.innerAlignment)
      let section = PlacedSection(kind: kind, count: count, byteOffset: start)
      sections.append(section)
      end = start + section.byteCount
    }
    byteCount = end.roundedUp(toMultipleOf: ContainerFormat.alignment)
  }

  private mutating func placeExtents() throws(PlanFault) {
    guard tensors.count < Int(ContainerFormat.none), extents.count < Int(ContainerFormat.none)
    else { throw PlanFault.tooLarge }
    for usedByteCount in extentUsedByteCounts {
      let end = try sum(
        byteCount, usedByteCount.roundedUp(toMultipleOf: ContainerFormat.alignment))
      extentRanges.append(byteCount..<end)
      byteCount = end
    }
    if let filesExtent = extentRanges.last, !files.isEmpty {
      fileOffsets = fileOffsets.map { $0 + filesExtent.lowerBound }
    }
  }

  private func sum(_ a: Int, _ b: Int) throws(PlanFault) -> Int {
    let (sum, overflow) = a.addingReportingOverflow(b)
    guard b >= 0, !overflow, sum <= Self.maximumByteCount else {
      throw PlanFault.tooLarge
    }
    return sum
  }
}

extension UInt32 {
  /// Whether an index fits a 32-bit field without being taken for "none".
  static func isStorable(_ value: Int) -> Bool { value >= 0 && value < Int(ContainerFormat.none) }
}

extension PlannedTensor {
  /// Whether the fields of a tensor record can hold all numbers.
  var isStorable: Bool {
    shape.rank <= ContainerFormat.maximumRank && layer.map(UInt32.isStorable) ?? true
      && expert.map(UInt32.isStorable) ?? true && UInt16(exactly: part) != nil
  }
}
