import Bytes
public import Checkpoints
public import ModelFamilies
public import SourceWeights
public import SystemPackage
import Tensors

/// A checkpoint that is understood: its weights, their roles, and what the layers are made of.
public struct Source: Sendable {
  public let checkpoint: Checkpoint
  /// The weights, each with the tensors that decode it.
  public let weights: SourceWeights
  public let description: ModelDescription
  /// The role of each of `weights.weights`, in their order.
  public let places: [TensorAssignment]
  /// What has a fate of its own: the weights, those that hold several matrices taken apart.
  public let matrices: [SourceMatrix]
  /// What a user should know and that stops nothing.
  public let notes: [String]

  /// Opens a checkpoint folder, or one weight file with its config beside it.
  /// - Parameter family: the family to take, whatever the config says.
  /// - Throws: what the modules below find wrong, in the order: files, scales, family, roles.
  public init(path: FilePath, family: String? = nil) throws {
    try self.init(checkpoint: Checkpoint(named: path), family: family)
  }

  /// Understands an opened checkpoint.
  public init(checkpoint: Checkpoint, family: String? = nil) throws {
    self.checkpoint = checkpoint
    if let metadata = checkpoint.ggufMetadata, family == nil {
      throw ConversionError.unknownGGUF(
        file: Self.name(of: checkpoint.path),
        architecture: metadata["general.architecture"]?.string)
    }
    let modelFamily = try ModelFamily.recognize(config: checkpoint.config, named: family)
    let weights = try SourceWeights(checkpoint: checkpoint)
    self.weights = weights
    guard let config = checkpoint.config ?? (modelFamily.isForAnyModel ? .object([:]) : nil) else {
      throw ModelFamiliesError.configMissing
    }
    let description = try modelFamily.describe(
      config: config,
      weights: weights.weights.map {
        NamedShape(name: $0.name, shape: $0.shape, isQuantized: $0.isQuantized)
      })
    self.description = description
    // `describe` has given every weight a role, or it has thrown.
    places = weights.weights.compactMap { description.assignment(of: $0.name) }

    matrices = SourceMatrix.all(of: weights.weights, places: places, description: description)
    var notes = description.notes.map(\.description)
    if !weights.activationScales.isEmpty {
      notes.append(
        "\(weights.activationScales.count) scales of activations are not carried:"
          + " a runtime has to find its own")
    }
    let unread = checkpoint.unreadFiles.filter { !Self.isOutput($0) }
    if !unread.isEmpty {
      let names = unread.compactMap { $0.lastComponent?.string }
      let shown = names.prefix(3).joined(separator: ", ")
      notes.append(
        "not read: " + shown + (names.count > 3 ? " and \(names.count - 3) other files" : ""))
    }
    self.notes = notes
  }

  /// The number of weights (elements).
  public var elementCount: Int { weights.weights.reduce(0) { $0 + $1.shape.elementCount } }

  /// The bytes of the weight files, headers included.
  public var byteCount: Int { checkpoint.files.reduce(0) { $0 + $1.byteCount } }

  /// The name that a file goes by where its folder does not matter.
  static func name(of path: FilePath) -> String { path.lastComponent?.string ?? path.string }

  /// Which of the weight files has this name.
  func fileIndex(named name: String) -> Int? {
    checkpoint.files.firstIndex { checkpoint.name(of: $0) == name }
  }

  /// The bytes of a side file.
  func sideFileBytes(named name: String) throws -> [UInt8] {
    guard let path = checkpoint.sideFiles.first(where: { Self.name(of: $0) == name }) else {
      throw BytesError.notFound(path: checkpoint.path.appending(name))
    }
    let file = try File(path: path)
    return try file.bytes(in: 0..<file.byteCount)
  }
}

extension Checkpoint {
  /// The name that a weight file goes by in reports and containers: its path from the folder on, so
  /// that shards of one name in several folders are told apart.
  package func name(of file: SourceFile) -> String {
    var name = file.path
    guard name.removePrefix(path), !name.isEmpty else { return Source.name(of: file.path) }
    return name.string
  }
}
