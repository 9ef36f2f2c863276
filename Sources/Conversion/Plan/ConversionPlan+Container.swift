import Bytes
import Checkpoints
import Container
import ModelFamilies
import Quantization
import ReferenceModel
import SourceWeights
import Tensors

extension ConversionPlan {
  /// Lays out the file: an extent per unit, the side files, what is known of the source.
  static func container(
    source: Source, options: ConversionOptions, units: [ConversionUnit]
  ) throws -> ContainerPlan {
    let extents = units.map(PlannedExtent.init)
    let files = try source.checkpoint.sideFiles.map { path in
      PlannedFile(name: Source.name(of: path), byteCount: try File(path: path).byteCount)
    }
    let sources = source.checkpoint.files.map { file in
      PlannedSource(
        name: source.checkpoint.name(of: file), byteCount: file.byteCount,
        headerByteCount: file.headerByteCount, headerChecksum: file.headerChecksum)
    }
    return try ContainerPlan(
      extents: extents, files: files, sources: sources,
      metadata: .metadata(source: source, options: options),
      sha256: options.sha256)
  }
}

extension PlannedExtent {
  fileprivate init(_ unit: ConversionUnit) {
    let kind: Kind =
      if case .expert(let expert) = unit.kind, let layer = unit.layer {
        .expert(layer: layer, expert: expert)
      } else {
        .tensors
      }
    self.init(
      kind: kind,
      tensors: unit.weights.enumerated().map { index, weight in
        weight.plannedTensor(
          projection: kind == .tensors ? nil : ExpertProjection(rawValue: index))
      })
  }
}

extension PlannedWeight {
  fileprivate func plannedTensor(projection: ExpertProjection?) -> PlannedTensor {
    PlannedTensor(
      name: source.name, sourceDType: source.primary.dtype, shape: shape,
      role: role.rawValue, layer: layer, expert: expert, part: part?.index ?? 0,
      scheme: scheme.rawValue,
      encoding: encoding, hasErrorRecord: isQuantized, projection: projection)
  }
}

extension ConversionPlan {
  /// The exact size that the output would have with other options, much sooner than by planning
  /// anew: extents hold the same tensors whatever their schemes.
  /// - Throws: `ConversionError.schemeDoesNotFit`.
  func size(
    with options: ConversionOptions
  ) throws -> (byteCount: Int, bitsPerWeight: Double?) {
    var elementCount = 0
    var extents = Array(container.extents.prefix(units.count))
    for (extent, unit) in units.enumerated() {
      for (index, weight) in unit.weights.enumerated() {
        let (scheme, encoding) = try PlannedWeight.fate(
          of: weight.source, part: weight.part, role: weight.role, options: options)
        extents[extent].tensors[index].scheme = scheme.rawValue
        extents[extent].tensors[index].encoding = encoding
        extents[extent].tensors[index].hasErrorRecord = scheme != .keep
        if scheme != .keep { elementCount += weight.shape.elementCount }
      }
    }
    let size = try container.size(
      storing: extents, metadata: .metadata(source: source, options: options),
      sha256: options.sha256)
    return (
      size.byteCount,
      elementCount == 0 ? nil : 8 * Double(size.measuredPayloadByteCount) / Double(elementCount)
    )
  }
}

extension JSONValue {
  /// What a container says about its making. The same input gives the same bytes: no date, no path.
  static func metadata(source: Source, options: ConversionOptions) -> JSONValue {
    let description = source.description
    var members: [String: JSONValue] = [
      "kelter": .string(Version.package),
      "family": .string(description.familyName),
      "scheme": .string(options.scheme.rawValue),
      "search": .string(options.search.rawValue),
      "layers": .integer(description.mainLayerCount),
    ]
    members["model_type"] = description.modelType.map { .string($0) }
    if options.allowsNonFinite { members["allow_nonfinite"] = .bool(true) }
    if let importance = options.importance {
      members["importance"] = .string(importance.checksum.hexadecimal)
    }
    if !options.recipe.rules.isEmpty { members["recipe"] = .string(options.recipe.text) }
    // Whoever checks the file takes what the source had for what it is.
    if options.allowsNonFinite { members["allow_nonfinite"] = .bool(true) }
    if let mixture = description.layers.compactMap(\.mixtureOfExperts).first {
      members["experts_per_layer"] = .integer(mixture.router.expertCount)
      members["experts_per_token"] = .integer(mixture.router.expertsPerToken)
    }
    let fused = FusedTensor.all(of: source)
    if !fused.isEmpty { members["fused"] = .array(fused.map(\.json)) }
    return .object(members)
  }
}
