import Bytes
public import Container
internal import Foundation
internal import Synchronization
public import SystemPackage

/// Packs containers for transport, and unpacks them: `kelter pack` and `kelter unpack`.
/// formats/archive.md tells where frames begin.
public enum Archive {
  /// What was packed or unpacked. formats/archive.schema.json describes the JSON form.
  public struct Summary: Sendable, Codable, Equatable {
    /// The file that was written.
    public let file: String
    public let packedBytes: Int
    public let unpackedBytes: Int
    public let frames: Int

    enum CodingKeys: String, CodingKey {
      case file, frames
      case packedBytes = "packed_bytes"
      case unpackedBytes = "unpacked_bytes"
    }
  }

  /// The most that a frame holds. Weights hold no repetitions that a larger one would find.
  static let frameByteCount = 1 << 20
  /// The level without `--level`: the highest saves 1 % of the size at most.
  public static let defaultLevel = 1

  /// The name of a container's archive: `v3.kelter.zst`.
  public static func packedPath(of path: FilePath) -> FilePath {
    path.removingLastComponent().appending((path.lastComponent?.string ?? "") + ".zst")
  }

  /// The name of an archive's container, nil if it does not end with `.zst`.
  public static func unpackedPath(of path: FilePath) -> FilePath? {
    guard let name = path.lastComponent?.string, name.hasSuffix(".zst"), name != ".zst" else {
      return nil
    }
    return path.removingLastComponent().appending(String(name.dropLast(4)))
  }

  /// The number of threads to work on; each holds a few frames.
  static func threads(_ wanted: Int?) -> Int {
    wanted ?? ProcessInfo.processInfo.activeProcessorCount
  }

  /// Makes sure that an output does not take the place of what it is made from, nor of a conversion
  /// under way.
  static func check(_ path: FilePath, madeFrom source: FilePath) throws(ConversionError) {
    try Journal.checkIsFree(path)
    guard let there = try? SystemCalls.status(of: path, followingLinks: true),
      let status = try? SystemCalls.status(of: source, followingLinks: true)
    else { return }
    if status.device == there.device && status.inode == there.inode {
      throw .outputIsSource(path: path.string)
    }
  }

  /// Unpacks the container of an archive and publishes it once its own checksums are right.
  public static func unpack(
    _ reader: ContainerReader, to path: FilePath, threads: Int? = nil, force: Bool = false,
    progress: ProgressHandler? = nil
  ) throws -> Summary {
    guard let archive = reader.archive else {
      throw ConversionError.notPacked(file: reader.path.string)
    }
    try check(path, madeFrom: reader.path)
    let output = try AtomicFile(path: path, replacing: force, magic: ContainerFormat.magic)
    do {
      try OutputRoom.check(for: archive.byteCount, at: path)
      let done = Mutex(0)
      let frameCount = archive.table.frameCount
      try WorkerPool.forEach(count: frameCount, threads: Self.threads(threads)) { number in
        let range = archive.table.frame(number).contentRange
        for start in stride(from: range.lowerBound, to: range.upperBound, by: frameByteCount) {
          try Interruption.check()
          let bytes = try archive.bytes(in: start..<min(start + frameByteCount, range.upperBound))
          try output.write(bytes.rawSpan, at: start)
          let sum = done.withLock { done in
            done += bytes.count
            return done
          }
          progress?(
            Progress(phase: "unpack", detail: "", done: sum, total: archive.byteCount))
        }
      }
      try check(output, archive: reader.path, threads: Self.threads(threads), progress)
      try Interruption.check()
      try output.publish()
    } catch {
      output.discard()
      throw error
    }
    return Summary(
      file: path.string, packedBytes: archive.file.byteCount, unpackedBytes: archive.byteCount,
      frames: archive.table.frameCount)
  }

  /// Checks what was written, as it lies on the disk. What a sound file may hold, as zero scales,
  /// is as it was packed.
  private static func check(
    _ output: AtomicFile, archive: FilePath, threads: Int, _ progress: ProgressHandler?
  ) throws {
    let findings = try ContainerVerifier.verify(
      ContainerReader(path: output.partialPath), threads: threads
    ) {
      try Interruption.check()
      progress?(Progress(phase: "check", detail: "", done: $0, total: $1))
    }
    if let damage = findings.first(where: \.isDamage) {
      throw ConversionError.damagedContainer(
        container: archive.string, damage: damage.description)
    }
  }
}
