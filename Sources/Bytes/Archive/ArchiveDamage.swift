/// What is wrong with an archive.
public enum ArchiveDamage: Error, Hashable, CustomStringConvertible {
  /// What can be wrong with a frame.
  public enum Fault: Error, Hashable, CustomStringConvertible {
    /// libzstd refuses it and says why.
    case refused(reason: String)
    /// Its contents have another checksum than the seek table says.
    case checksum
    /// It holds more bytes than the seek table says, or ends before its last byte.
    case wrongByteCount(stated: Int)
    /// The file ends within it.
    case cutOff

    public var description: String {
      switch self {
      case .refused(let reason): reason
      case .checksum: "the checksum of its contents is wrong"
      case .wrongByteCount(let stated):
        "it does not hold the \(stated) bytes that the seek table says"
      case .cutOff: "the file ends within it"
      }
    }
  }

  /// The file does not end with a seek table, and all before is whole frames.
  case noSeekTable(frameCount: Int)
  /// The seek table contradicts the format or the file.
  case seekTable(reason: String)
  /// A frame, counted from 0, that starts at this byte of the archive.
  case frame(number: Int, byteOffset: Int, Fault)

  public var description: String {
    switch self {
    case .noSeekTable(let frameCount):
      "has \(frameCount) zstd frame(s) and no seek table: fetch it again, or, if plain zstd made "
        + "it, restore it with `zstd -d`"
    case .seekTable(let reason):
      "its seek table is wrong: \(reason); fetch it again, or restore it with `zstd -d`"
    case .frame(let number, let byteOffset, let fault):
      "frame \(number) at byte \(byteOffset): \(fault); fetch it again"
    }
  }
}
