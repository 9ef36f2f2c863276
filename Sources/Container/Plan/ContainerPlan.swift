public import Bytes
public import Quantization

/// Where everything in a container will lie, to the byte, known before any data is.
///
/// The file is the header, the sections of the index, then the extents in the given order; the
/// files share one more extent at the end. The same input gives the same plan.
public struct ContainerPlan: Sendable {
  /// The extents, that of the files (if any) last.
  public let extents: [PlannedExtent]
  public let files: [PlannedFile]
  public let sources: [PlannedSource]
  /// The metadata as it is stored: canonical JSON.
  public let metadata: [UInt8]
  public let features: OptionalFeatures
  /// What a reader must know.
  public var requiredFeatures: RequiredFeatures {
    tensors.contains { $0.tensor.encoding.hasTables } ? .tables : []
  }
  /// The exact size of the file.
  public let byteCount: Int

  /// Where the extents lie, padding included.
  let extentRanges: [Range<Int>]
  /// The sizes of the extents' contents.
  let extentUsedByteCounts: [Int]
  /// All tensors, extent after extent.
  let tensors: [PlacedTensor]
  /// The index in `tensors` of each extent's first tensor, and the count of tensors at the end.
  let firstTensors: [Int]
  /// `tensors` in the order of the file: by name, expert and part.
  let tensorOrder: [Int]
  /// The place in `tensorOrder` of each of `tensors`.
  let tensorRanks: [Int]
  /// The experts by layer and expert.
  let experts: [PlacedExpert]
  /// The offsets of `files` in the file.
  let fileOffsets: [Int]
  let strings: StringTable
  let sections: [PlacedSection]

  /// The extent that holds the files, or nil if there are none.
  public var filesExtent: Int? { files.isEmpty ? nil : extents.count - 1 }

  /// Where an extent lies in the file, padding included.
  public func byteRange(ofExtent extent: Int) -> Range<Int> { extentRanges[extent] }

  /// The size of what an extent holds, without the padding at its end.
  public func usedByteCount(ofExtent extent: Int) -> Int { extentUsedByteCounts[extent] }

  /// Where a tensor lies in the file.
  public func byteRange(ofTensor tensor: Int, inExtent extent: Int) -> Range<Int> {
    let placed = tensors[firstTensors[extent] + tensor]
    let start = extentRanges[extent].lowerBound + placed.offsetInExtent
    return start..<start + placed.sizes.byteCount
  }

  /// Where the planes of a quantized tensor lie, relative to its first byte; nil for a plain one.
  public func layout(ofTensor tensor: Int, inExtent extent: Int) -> QuantizedLayout? {
    tensors[firstTensors[extent] + tensor].sizes.layout
  }

  /// The size of a tensor without padding: elements, or codes, scales, zero points, global scale.
  public func payloadByteCount(ofTensor tensor: Int, inExtent extent: Int) -> Int {
    tensors[firstTensors[extent] + tensor].sizes.payloadByteCount
  }

  /// Where a file lies in the container.
  public func byteRange(ofFile file: Int) -> Range<Int> {
    fileOffsets[file]..<fileOffsets[file] + files[file].byteCount
  }
}

/// A tensor with its place.
struct PlacedTensor: Sendable {
  var tensor: PlannedTensor
  var extent: Int
  var offsetInExtent: Int
  var sizes: TensorSizes
}

/// An expert with its place: the extent and, for each projection, its index in `tensors`.
struct PlacedExpert: Sendable {
  var layer: Int
  var expert: Int
  var extent: Int
  var projections: [Int?]
}

/// A section with its place.
struct PlacedSection: Sendable {
  var kind: SectionKind
  var count: Int
  var byteOffset: Int
  var byteCount: Int { count * kind.recordByteCount }
}

extension ContainerPlan {
  /// Lays out a container.
  /// - Parameter metadata: stored as canonical JSON. It should say nothing that differs from run
  ///   to run, so that the same input gives the same bytes.
  /// - Throws: `invalidPlan` if two things share a name, something does not fit its field, or an
  ///   expert's extent does not start with its projections.
  public init(
    extents: [PlannedExtent], files: [PlannedFile] = [], sources: [PlannedSource] = [],
    metadata: JSONValue, sha256: Bool = false
  ) throws(ContainerError) {
    do throws(PlanFault) {
      guard let metadata = CanonicalJSON.bytes(of: metadata) else {
        throw .unstorable("metadata")
      }
      var layout = PlanLayout(
        extents: extents, files: files, sources: sources, metadataByteCount: metadata.count,
        features: sha256 ? .digests : [])
      try layout.placeAll()
      self.init(layout: layout, metadata: metadata)
    } catch {
      throw .invalidPlan(error)
    }
  }

  /// The size of a container of the same tensors in the same extents, in the same order, that
  /// differs in schemes, encodings and metadata alone. Its plan would say the same, but takes much
  /// longer.
  /// - Parameter other: what the extents would hold, without the one of the files.
  /// - Returns: the exact size of the file, and the payload of all tensors with an error record.
  /// - Throws: `invalidPlan`.
  public func size(
    storing other: [PlannedExtent], metadata: JSONValue, sha256: Bool = false
  ) throws(ContainerError) -> (byteCount: Int, measuredPayloadByteCount: Int) {
    do throws(PlanFault) {
      guard let metadata = CanonicalJSON.bytes(of: metadata) else {
        throw .unstorable("metadata")
      }
      var layout = PlanLayout(
        extents: other, files: files, sources: sources, metadataByteCount: metadata.count,
        features: sha256 ? .digests : [])
      try layout.measure(like: self)
      let payload = layout.tensors.reduce(0) {
        $0 + ($1.tensor.hasErrorRecord ? $1.sizes.payloadByteCount : 0)
      }
      return (layout.byteCount, payload)
    } catch {
      throw .invalidPlan(error)
    }
  }

  private init(layout: PlanLayout, metadata: [UInt8]) {
    extents = layout.extents
    files = layout.files
    sources = layout.sources
    self.metadata = metadata
    features = layout.features
    byteCount = layout.byteCount
    extentRanges = layout.extentRanges
    extentUsedByteCounts = layout.extentUsedByteCounts
    tensors = layout.tensors
    firstTensors = layout.firstTensors
    tensorOrder = layout.tensorOrder
    tensorRanks = layout.tensorRanks
    experts = layout.experts
    fileOffsets = layout.fileOffsets
    strings = layout.strings
    sections = layout.sections
  }
}
