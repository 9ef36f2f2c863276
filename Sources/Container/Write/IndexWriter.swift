import Bytes
import Quantization
import Tensors

/// Turns the plan and the results into the bytes of the header and of the sections.
struct IndexWriter {
  let plan: ContainerPlan
  let results: WrittenResults

  /// The bytes of a section.
  func bytes(of section: PlacedSection) -> [UInt8] {
    if section.kind == .metadata { return plan.metadata }
    if section.kind == .strings { return plan.strings.bytes }
    var record = RecordBytes(byteCount: section.byteCount)
    switch section.kind {
    case .metadata, .strings: break
    case .tensors: for index in plan.tensorOrder { append(plan.tensors[index], to: &record) }
    case .extents: for index in plan.extents.indices { appendExtent(index, to: &record) }
    case .layers: appendLayers(to: &record)
    case .experts: for expert in plan.experts { append(expert, to: &record) }
    case .errors: appendErrors(to: &record)
    case .files:
      for (index, file) in plan.files.enumerated() {
        record.append(plan.strings.reference(file.name))
        record.append(UInt32(plan.extents.count - 1))
        record.append(UInt32(0))
        record.append(UInt64(plan.fileOffsets[index]))
        record.append(UInt64(file.byteCount))
      }
    case .sources: appendSources(to: &record)
    case .digests: for digest in results.digests { record.append(digest) }
    }
    return record.bytes
  }

  /// The header with the directory; `checksums` are those of the sections.
  func header(checksums: [UInt64]) -> [UInt8] {
    var record = RecordBytes(byteCount: ContainerFormat.headerByteCount)
    record.append(ContainerFormat.magic)
    record.append(ContainerFormat.major)
    // The least version that knows what the file requires.
    record.append(plan.requiredFeatures.isEmpty ? UInt16(0) : ContainerFormat.minor)
    record.append(UInt32(ContainerFormat.headerByteCount))
    record.append(plan.requiredFeatures.rawValue)
    record.append(plan.features.rawValue)
    record.append(UInt64(plan.byteCount))
    record.append(UInt32(ContainerFormat.alignment))
    record.append(UInt32(plan.sections.count))
    record.pad(toMultipleOf: ContainerFormat.directoryOffset)
    for (section, checksum) in zip(plan.sections, checksums) {
      record.append(section.kind.rawValue)
      record.append(UInt32(section.kind.recordByteCount))
      record.append(UInt64(section.count))
      record.append(UInt64(section.byteOffset))
      record.append(UInt64(section.byteCount))
      record.append(checksum)
      record.append(UInt64(0))
    }
    record.appendZeros(ContainerFormat.headerChecksumOffset - record.bytes.count)
    record.append(Checksum.of(record.bytes.rawSpan))
    return record.bytes
  }

  private func append(_ placed: PlacedTensor, to record: inout RecordBytes) {
    let tensor = placed.tensor
    record.append(plan.strings.reference(tensor.name))
    record.append(plan.strings.reference(tensor.scheme))
    record.append(plan.strings.reference(tensor.role))
    record.append(tensor.layer.map(UInt32.init) ?? ContainerFormat.none)
    record.append(tensor.expert.map(UInt32.init) ?? ContainerFormat.none)
    record.append(UInt16(tensor.part))
    record.append(DTypeCode.code(tensor.sourceDType))
    record.append(UInt8(tensor.shape.rank))
    switch tensor.encoding {
    case .plain(let dtype):
      record.append(EncodingKind.plain.rawValue)
      record.append(DTypeCode.code(dtype))
      record.appendZeros(10)
    case .quantized(let format):
      record.append((format.tableCount > 0 ? EncodingKind.tables : .quantized).rawValue)
      record.append(DTypeCode.code(format.scale))
      record.append(format.code.rawValue)
      record.append(UInt8((format.hasZeroPoints ? 1 : 0) + (format.hasGlobalScale ? 2 : 0)))
      record.append(UInt32(format.blockRows ?? 0))
      record.append(UInt32(format.blockColumns ?? 0))
    }
    record.append(UInt32(placed.extent))
    record.append(UInt32(0))
    record.append(UInt64(plan.extentRanges[placed.extent].lowerBound + placed.offsetInExtent))
    record.append(UInt64(placed.sizes.byteCount))
    record.append(UInt64(placed.sizes.payloadByteCount))
    for dimension in tensor.shape.dimensions { record.append(UInt64(dimension)) }
    if case .quantized(let format) = tensor.encoding, format.tableCount > 0 {
      record.appendZeros(8 * (ContainerFormat.maximumRank - tensor.shape.rank))
      record.append(UInt32(format.tableCount))
      record.append(UInt32(QuantizationFormat.superBlockColumns))
    }
    record.pad(toMultipleOf: SectionKind.tensors.recordByteCount)
  }

  private func appendExtent(_ index: Int, to record: inout RecordBytes) {
    let kind: ExtentKind =
      switch plan.extents[index].kind {
      case .expert: .expert
      case .tensors: .tensors
      case .files: .files
      }
    record.append(kind.rawValue)
    record.append(UInt32(0))
    record.append(UInt64(plan.extentRanges[index].lowerBound))
    record.append(UInt64(plan.extentRanges[index].count))
    record.append(UInt64(plan.extentUsedByteCounts[index]))
    record.append(results.checksums[index])
    record.append(UInt64(0))
  }

  private func appendLayers(to record: inout RecordBytes) {
    var first = 0
    while first < plan.experts.count {
      let layer = plan.experts[first].layer
      let end = plan.experts[first...].firstIndex { $0.layer != layer } ?? plan.experts.count
      let ranges = plan.experts[first..<end].map { plan.extentRanges[$0.extent] }
      record.append(UInt32(layer))
      record.append(UInt32(0))
      record.append(UInt32(first))
      record.append(UInt32(end - first))
      record.append(UInt64(ExpertStride.byteCount(of: ranges)))
      record.append(UInt64(0))
      first = end
    }
  }

  private func append(_ expert: PlacedExpert, to record: inout RecordBytes) {
    let range = plan.extentRanges[expert.extent]
    record.append(UInt32(expert.layer))
    record.append(UInt32(expert.expert))
    record.append(UInt32(expert.extent))
    record.append(UInt32(0))
    record.append(UInt64(range.lowerBound))
    record.append(UInt64(range.count))
    record.append(UInt64(plan.extentUsedByteCounts[expert.extent]))
    for index in expert.projections {
      record.append(index.map { UInt32(plan.tensorRanks[$0]) } ?? ContainerFormat.none)
    }
    record.append(UInt32(0))
    for index in expert.projections {
      record.append(UInt64(index.map { plan.tensors[$0].offsetInExtent } ?? 0))
    }
  }

  private func appendErrors(to record: inout RecordBytes) {
    for (rank, index) in plan.tensorOrder.enumerated() {
      guard let error = results.errors[index] else { continue }
      record.append(UInt32(rank))
      record.append(UInt32(0))
      record.append(error.relativeError)
      record.append(error.signalToQuantizationNoise)
      record.append(error.maximumAbsoluteError)
      record.append(error.zeroedShare)
      record.append(error.clippedShare)
      record.append(error.nonFiniteCount)
      record.append(UInt64(0))
    }
  }

  private func appendSources(to record: inout RecordBytes) {
    for (index, source) in plan.sources.enumerated() {
      record.append(plan.strings.reference(source.name))
      record.append(UInt64(source.byteCount))
      record.append(UInt64(source.headerByteCount))
      record.append(source.headerChecksum)
      record.append(results.sourceChecksums[index] ?? 0)
      record.append(UInt32(results.sourceChecksums[index] == nil ? 0 : 1))
      record.append(UInt32(0))
    }
  }
}
