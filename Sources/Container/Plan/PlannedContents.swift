public import Tensors

/// A tensor that a container will hold.
public struct PlannedTensor: Sendable, Hashable {
  /// The name of the source tensor. Several parts of a fused tensor share it.
  public var name: String
  /// The dtype of the source's values.
  public var sourceDType: DType
  /// The logical shape, of the part where the source tensor is fused.
  public var shape: Shape
  /// What the tensor does, by the name that recipes use, as `expert.down`.
  public var role: String
  /// The layer it belongs to, if any.
  public var layer: Int?
  /// The routed expert it belongs to, if any.
  public var expert: Int?
  /// Tells apart tensors that share name and expert.
  public var part: Int
  /// The name of the scheme, as `int4-g64`.
  public var scheme: String
  /// How it is stored.
  public var encoding: TensorEncoding
  /// Whether an error record belongs to it.
  public var hasErrorRecord: Bool
  /// Which of an expert's projections it is.
  public var projection: ExpertProjection?

  /// - Parameter hasErrorRecord: if nil, a quantized tensor has one and a plain one has not.
  public init(
    name: String, sourceDType: DType, shape: Shape, role: String, layer: Int? = nil,
    expert: Int? = nil, part: Int = 0, scheme: String, encoding: TensorEncoding,
    hasErrorRecord: Bool? = nil, projection: ExpertProjection? = nil
  ) {
    self.name = name
    self.sourceDType = sourceDType
    self.shape = shape
    self.role = role
    self.layer = layer
    self.expert = expert
    self.part = part
    self.scheme = scheme
    self.encoding = encoding
    if case .quantized = encoding {
      self.hasErrorRecord = hasErrorRecord ?? true
    } else {
      self.hasErrorRecord = hasErrorRecord ?? false
    }
    self.projection = projection
  }
}

/// The projections of an expert, in their order in its extent.
public enum ExpertProjection: Int, Sendable, Hashable, CaseIterable {
  case gate, up, down
}

/// A stretch of the file that is read as one: 16 KiB aligned, with a checksum of its own.
public struct PlannedExtent: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    /// One routed expert: gate, up, down, then what else belongs to it.
    case expert(layer: Int, expert: Int)
    /// Any other tensors.
    case tensors
    /// The files; the plan adds this extent itself.
    case files
  }
  public var kind: Kind
  /// Each starts at a multiple of 64 bytes.
  public var tensors: [PlannedTensor]

  public init(kind: Kind, tensors: [PlannedTensor]) {
    self.kind = kind
    self.tensors = tensors
  }
}

/// A file that is carried as it is: the config, the tokenizer's files.
public struct PlannedFile: Sendable, Hashable {
  public var name: String
  public var byteCount: Int

  public init(name: String, byteCount: Int) {
    self.name = name
    self.byteCount = byteCount
  }
}

/// A weight file of the source.
public struct PlannedSource: Sendable, Hashable {
  public var name: String
  public var byteCount: Int
  /// The size of its header, 0 where it has none.
  public var headerByteCount: Int
  /// XXH3-64 of the header's bytes.
  public var headerChecksum: UInt64

  public init(name: String, byteCount: Int, headerByteCount: Int, headerChecksum: UInt64) {
    self.name = name
    self.byteCount = byteCount
    self.headerByteCount = headerByteCount
    self.headerChecksum = headerChecksum
  }
}
