/// What is wrong with a NumPy array, or what of it is not read.
public enum NumPyProblem: Error, Hashable, CustomStringConvertible {
  case noMagic
  case unknownVersion(Int)
  case truncatedHeader
  case wrongHeader
  case unknownDType(String)
  case shapeTooLarge
  case wrongByteCount(expected: Int, found: Int)
  case tooLarge(byteCount: Int, limit: Int)

  public var description: String {
    switch self {
    case .noMagic: "this is no NumPy array"
    case .unknownVersion(let version): "version \(version) of the format is not read (1 to 3 are)"
    case .truncatedHeader: "its header is truncated"
    case .wrongHeader: "its header is not the three fields descr, fortran_order and shape"
    case .unknownDType(let dtype):
      "its dtype \(dtype) is not read; little-endian numbers of up to 64 bits are"
    case .shapeTooLarge: "its shape overflows 64 bits"
    case .wrongByteCount(let expected, let found):
      "its shape needs \(expected) bytes and it has \(found)"
    case .tooLarge(let byteCount, let limit):
      "it is compressed or in Fortran order and has \(byteCount) bytes, where at most \(limit) are "
        + "allowed"
    }
  }
}
