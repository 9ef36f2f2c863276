import Bytes
import Checkpoints
public import Container
import ModelFamilies
import SourceWeights
public import SystemPackage
import Tensors

extension Inspection {
  /// Describes whatever lies at a path: a checkpoint folder, a weight file, a `.kelter` file
  /// or a packed one.
  /// - Parameter family: the family to take, whatever the config says.
  public init(path: FilePath, family: String? = nil) throws {
    if path.isNamedAsContainer || ContainerReader.isContainer(at: path) {
      try self.init(container: ContainerReader(named: path))
      return
    }
    let checkpoint = try Checkpoint(named: path)
    if let metadata = checkpoint.ggufMetadata, family == nil {
      try self.init(gguf: checkpoint, metadata: metadata)
      return
    }
    let isLoneFile = checkpoint.path.extension == "safetensors" && family == nil
    if checkpoint.config == nil, family == nil {
      self.init(checkpoint: checkpoint)
      notes.append("no config.json, so that the family is not known")
      return
    }
    do {
      try self.init(source: Source(checkpoint: checkpoint, family: family))
    } catch let error as any KelterError where isLoneFile && error.kind == .invalidInput {
      // One shard, or a file of tokens: not the model that the config beside it describes.
      self.init(checkpoint: checkpoint)
      notes.append("not a whole model by the config.json beside it: \(error)")
    }
  }

  /// Describes a container.
  public init(container reader: ContainerReader) throws {
    let metadata = try reader.metadata()
    let contained = try reader.allTensors()
    name = Source.name(of: reader.path)
    family = metadata["family"]?.string
    modelType = metadata["model_type"]?.string
    scheme = metadata["scheme"]?.string
    if let layerCount = metadata["layers"]?.int {
      let mixture = try (0..<reader.layerCount).map { index throws(ContainerError) in
        try reader.layer(at: index).layer
      }
      let main = mixture.count { $0 < layerCount }
      layers = Layers(
        total: layerCount, dense: layerCount - main, mixtureOfExperts: main,
        multiTokenPrediction: mixture.count - main)
    }
    if let routed = metadata["experts_per_layer"]?.int,
      let perToken = metadata["experts_per_token"]?.int
    {
      experts = Experts(
        routed: routed, perToken: perToken, shared: contained.contains { $0.role == "shared.gate" })
    }
    parameters = Parameters(
      total: contained.reduce(0) { $0 + $1.shape.elementCount }, activePerToken: nil,
      multiTokenPrediction: nil)
    encodings = Self.parts(of: contained) { tensor in
      switch tensor.encoding {
      case .plain(let dtype): dtype.rawValue
      case .quantized(let format): format.summary
      }
    }
    roles = Self.parts(of: contained) { $0.role }
    bytes = reader.archive?.file.byteCount ?? reader.byteCount
    tensors = contained.count
    files = [FileEntry(name: name, bytes: bytes)]
    sideFiles = try reader.files().map(\.name)
    unreadFiles = []
    sizes = []
    notes =
      reader.archive.map {
        [
          "packed by zstd in \($0.table.frameCount) frames; kelter unpack makes"
            + " \($0.byteCount) bytes of it"
        ]
      } ?? []
  }

  private static func parts(
    of tensors: [ContainedTensor], by name: (ContainedTensor) -> String
  ) -> [Part] {
    Self.sorted(
      Dictionary(grouping: tensors, by: name).map { name, tensors in
        Part(
          name: name, tensors: tensors.count,
          parameters: tensors.reduce(0) { $0 + $1.shape.elementCount },
          bytes: tensors.reduce(0) { $0 + $1.payloadByteCount })
      })
  }
}
