import Bytes
import Checkpoints
import Container
import Tensors

/// Which tensor goes into which shard.
struct ExportPlan {
  /// One weight file.
  struct Shard {
    var name = ""
    var tensors: [ExportTensor] = []
    var byteCount = 0
  }

  /// A shard holds at most this many bytes of tensors, unless a single one has more.
  static let shardByteCount = 5_000_000_000

  let shards: [Shard]

  init(tensors: [ExportTensor]) {
    var shards = [Shard()]
    for tensor in tensors {
      let byteCount = tensor.byteCount
      if !shards[shards.count - 1].tensors.isEmpty,
        shards[shards.count - 1].byteCount + byteCount > Self.shardByteCount
      {
        shards.append(Shard())
      }
      shards[shards.count - 1].tensors.append(tensor)
      shards[shards.count - 1].byteCount += byteCount
    }
    for index in shards.indices {
      shards[index].name =
        "model-\(Self.padded(index + 1))-of-\(Self.padded(shards.count)).safetensors"
    }
    self.shards = shards
  }

  /// The bytes of all tensors.
  var byteCount: Int { shards.reduce(0) { $0 + $1.byteCount } }

  /// What `model.safetensors.index.json` says.
  struct Index: Encodable {
    struct Metadata: Encodable {
      let totalSize: Int

      enum CodingKeys: String, CodingKey {
        case totalSize = "total_size"
      }
    }

    let metadata: Metadata
    let weightMap: [String: String]

    enum CodingKeys: String, CodingKey {
      case metadata
      case weightMap = "weight_map"
    }
  }

  var index: Index {
    var map: [String: String] = [:]
    for shard in shards {
      for tensor in shard.tensors { map[tensor.name] = shard.name }
    }
    return Index(metadata: .init(totalSize: byteCount), weightMap: map)
  }

  private static func padded(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }
}
