public import Bytes
public import SystemPackage

/// What can be wrong with a container, or with what is asked of one.
public enum ContainerError: KelterError {
  /// The file does not start with the magic of a container.
  case notAContainer(path: FilePath)
  /// The file has a greater major version than this program reads.
  case unsupportedVersion(path: FilePath, major: Int, minor: Int)
  /// The file requires features that this program does not know.
  case unsupportedFeatures(path: FilePath, bits: UInt64)
  /// The file is shorter or longer than its header says.
  case wrongByteCount(path: FilePath, stated: UInt64, actual: Int)
  /// Something in the file contradicts the format.
  case damaged(path: FilePath, byteOffset: Int, ContainerDamage)
  /// No tensor has this name, or the expert or part of it that was asked for.
  case noSuchTensor(path: FilePath, name: String, expert: Int?, part: Int)
  /// The container holds no such routed expert.
  case noSuchExpert(path: FilePath, layer: Int, expert: Int)
  /// A range that does not lie in the file was asked for.
  case rangeOutsideFile(path: FilePath, Range<Int>, byteCount: Int)
  /// Bytes behind the index of a packed container were to be lent rather than read.
  case packed(path: FilePath)
  /// The index of a packed container takes more memory than is given to it.
  case indexTooLarge(path: FilePath, byteCount: Int)
  /// The contents cannot be stored as planned.
  case invalidPlan(PlanFault)
  /// More or fewer bytes were written to an extent than planned.
  case wrongExtentByteCount(path: FilePath, extent: Int, planned: Int, written: Int)
  /// An extent was written twice, or not at all.
  case wrongExtentWrites(path: FilePath, extent: Int, count: Int)
  /// The error of a tensor that has an error record was not set, or set where there is none.
  case wrongErrorRecord(path: FilePath, tensor: String)
  /// The operating system failed.
  case file(BytesError)

  public var kind: FailureKind {
    switch self {
    case .notAContainer, .unsupportedVersion, .unsupportedFeatures, .wrongByteCount, .damaged,
      .indexTooLarge,
      // What is planned comes from a source, not from how the program is called.
      .invalidPlan:
      .invalidInput
    case .noSuchTensor, .noSuchExpert: .notFound
    case .rangeOutsideFile, .packed, .wrongExtentByteCount, .wrongExtentWrites, .wrongErrorRecord:
      .usage
    case .file(let error): error.kind
    }
  }

  public var description: String {
    switch self {
    case .notAContainer(let path):
      "\(path): not a .kelter file: it does not start with 89 4B 4C 54 0D 0A 1A 0A"
    case .unsupportedVersion(let path, let major, let minor):
      "\(path): format version \(major).\(minor); this kelter reads up to "
        + "\(ContainerFormat.major).x: use a newer kelter"
    case .unsupportedFeatures(let path, let bits):
      "\(path): requires features that this kelter does not know (bits 0x"
        + "\(String(bits, radix: 16))): use a newer kelter"
    case .wrongByteCount(let path, let stated, let actual):
      "\(path): has \(actual) bytes, its header says \(stated): the copy is incomplete or was "
        + "changed; copy it again"
    case .damaged(let path, let byteOffset, let damage):
      "\(path): byte \(byteOffset): \(damage); copy or convert it again"
    case .noSuchTensor(let path, let name, let expert, let part):
      "\(path): no tensor \(name)" + (expert.map { ", expert \($0)" } ?? "")
        + (part == 0 ? "" : ", part \(part)") + "; formats/kelter_reader.py lists what is there"
    case .noSuchExpert(let path, let layer, let expert):
      "\(path): no expert \(expert) in layer \(layer); `kelter inspect` tells how many there are"
    case .rangeOutsideFile(let path, let range, let byteCount):
      "\(path): bytes \(range) were asked for, the file has \(byteCount)"
    case .packed(let path):
      "\(path): is packed, so that its bytes cannot be mapped; `kelter unpack` it first"
    case .indexTooLarge(let path, let byteCount):
      "\(path): its index has \(byteCount) bytes, of which a packed file may have "
        + "\(ContainerMemory.maximumHeldByteCount); `kelter unpack` it"
    case .invalidPlan(let fault): fault.description
    case .wrongExtentByteCount(let path, let extent, let planned, let written):
      "\(path): extent \(extent) got \(written) bytes where \(planned) are planned"
    case .wrongExtentWrites(let path, let extent, let count):
      "\(path): extent \(extent) was written \(count) times instead of once"
    case .wrongErrorRecord(let path, let tensor):
      "\(path): tensor \(tensor): its error was not set, or set without being planned"
    case .file(let error): error.description
    }
  }
}

/// Why contents cannot be stored as planned.
public enum PlanFault: Error, Hashable, CustomStringConvertible {
  /// Two tensors share name, expert and part.
  case duplicateTensor(String)
  /// Two extents hold the same expert.
  case duplicateExpert(layer: Int, expert: Int)
  /// Two files, or two sources, share a name.
  case duplicateFile(String)
  /// A shape, a count or an index does not fit its field, bits do not end on a whole byte, or the
  /// name of a file is none.
  case unstorable(String)
  /// The tensors of an expert do not start with its projections, each once, in their order.
  case wrongProjections(layer: Int, expert: Int)
  /// The whole is larger than a file can be.
  case tooLarge

  public var description: String {
    switch self {
    case .duplicateTensor(let name): "tensor \(name): would be stored twice"
    case .duplicateExpert(let layer, let expert):
      "expert \(expert) of layer \(layer): would be stored twice"
    case .duplicateFile(let name): "file \(name): would be stored twice"
    case .unstorable(let name):
      "\(name): the container cannot hold its name, its shape, its format or its numbers"
    case .wrongProjections(let layer, let expert):
      "expert \(expert) of layer \(layer): its extent must start with gate, up and down"
    case .tooLarge: "the output would be larger than a file can be"
    }
  }
}
