import Container
public import SystemPackage
import Tensors

/// Where a routed expert lies in a `.kelter` file, and how soon that is known:
/// formats/expert.schema.json.
public struct ExpertPlace: Encodable, Sendable {
  public struct Tensor: Encodable, Sendable {
    public let name: String
    public let role: String
    public let scheme: String
    /// Rows, then columns.
    public let shape: [Int]
    /// From the start of the file.
    public let offset: Int
    /// With the zeros between and after its planes.
    public let bytes: Int
  }

  public let layer: Int
  public let expert: Int
  /// From the start of the file, a multiple of 16384.
  public let offset: Int
  /// Whole pages of 16 KiB.
  public let bytes: Int
  /// Without the zeros at the end.
  public let usedBytes: Int
  /// Gate, up and down projection, as far as the expert has them.
  public let tensors: [Tensor]
  /// The time of each run, least first: the file is opened, the expert found, and the first byte of
  /// each of its tensors loaded.
  public let microseconds: [Double]

  enum CodingKeys: String, CodingKey {
    case layer, expert, offset, bytes, tensors, microseconds
    case usedBytes = "used_bytes"
  }

  /// - Parameter runs: how often the file is opened and the expert found.
  /// - Throws: `ContainerError`.
  public init(path: FilePath, layer: Int, expert: Int, runs: Int) throws {
    let reader = try ContainerReader(named: path)
    if reader.archive != nil { throw ContainerError.packed(path: path) }
    var times: [Duration] = []
    let clock = ContinuousClock()
    for _ in 0..<runs {
      times.append(
        try clock.measure {
          let reader = try ContainerReader(path: path)
          let found = try reader.expert(layer: layer, expert: expert)
          let bytes = try reader.bytes(in: found.byteRange)
          for offset in [found.gateByteOffset, found.upByteOffset, found.downByteOffset]
          where offset < bytes.byteCount {
            withExtendedLifetime(unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)) {}
          }
        })
    }
    let found = try reader.expert(layer: layer, expert: expert)
    self.layer = layer
    self.expert = expert
    offset = found.byteRange.lowerBound
    bytes = found.byteRange.count
    usedBytes = found.usedByteCount
    tensors = try [found.gateTensor, found.upTensor, found.downTensor].compactMap { index in
      try index.map { index throws(ContainerError) in
        let tensor = try reader.tensor(at: index)
        return Tensor(
          name: tensor.name, role: tensor.role, scheme: tensor.scheme,
          shape: tensor.shape.dimensions, offset: tensor.byteRange.lowerBound,
          bytes: tensor.byteRange.count)
      }
    }
    microseconds = times.sorted().map { $0 / .microseconds(1) }
  }
}
