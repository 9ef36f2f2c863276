/// GGUF files as bytes, also ones that no writer would make.
public struct GGUFBytes {
  public struct Tensor {
    public var name: String
    /// Innermost first, as GGUF has them.
    public var dimensions: [UInt64]
    public var type: UInt32
    public var offset: UInt64

    public init(_ name: String, _ dimensions: [UInt64], type: UInt32, offset: UInt64 = 0) {
      self.name = name
      self.dimensions = dimensions
      self.type = type
      self.offset = offset
    }
  }

  public var magic: [UInt8] = Array("GGUF".utf8)
  public var version: UInt32 = 3
  /// What the file claims; nil tells the truth.
  public var tensorCount: UInt64?
  public var keyCount: UInt64?
  /// Each a key, its type and its value's bytes.
  public var keys: [[UInt8]] = []
  public var tensors: [Tensor] = []
  public var alignment = 32
  public var data: [UInt8] = []

  public init() {}

  /// A file of one tensor and its data.
  public init(_ tensor: Tensor, data: [UInt8]) {
    tensors = [tensor]
    self.data = data
  }

  public static func number<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<MemoryLayout<T>.size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  public static func string(_ text: String) -> [UInt8] {
    number(UInt64(text.utf8.count)) + Array(text.utf8)
  }

  public static func key(_ name: String, type: UInt32, _ value: [UInt8]) -> [UInt8] {
    string(name) + number(type) + value
  }

  public mutating func add(_ name: String, text: String) {
    keys.append(Self.key(name, type: 8, Self.string(text)))
  }

  public mutating func add(_ name: String, number: UInt16) {
    keys.append(Self.key(name, type: 2, Self.number(number)))
  }

  /// The whole file.
  public var file: [UInt8] {
    var bytes = magic + Self.number(version)
    bytes += Self.number(tensorCount ?? UInt64(tensors.count))
    bytes += Self.number(keyCount ?? UInt64(keys.count))
    for key in keys { bytes += key }
    for tensor in tensors {
      bytes += Self.string(tensor.name) + Self.number(UInt32(tensor.dimensions.count))
      for dimension in tensor.dimensions { bytes += Self.number(dimension) }
      bytes += Self.number(tensor.type) + Self.number(tensor.offset)
    }
    bytes += [UInt8](repeating: 0, count: (alignment - bytes.count % alignment) % alignment)
    return bytes + data
  }
}
