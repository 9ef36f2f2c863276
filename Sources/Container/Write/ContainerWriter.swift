public import Bytes
import Synchronization
public import SystemPackage

/// Writes a container as planned, under a temporary name until `publish`.
///
/// Extents may be written in any order and by several threads, each extent by one; the bytes of
/// the file do not depend on it.
public final class ContainerWriter: Sendable {
  public let plan: ContainerPlan
  let output: AtomicFile
  let results: Mutex<WrittenResults>
  private let pieces: PieceWriter

  /// What is held of each extent that is being written.
  public static let pieceByteCount = PieceWriter.byteCount
  /// What is held besides while it waits to be written.
  public static let waitingByteCount = PieceWriter.limit * PieceWriter.byteCount

  /// Creates the partial file.
  /// - Parameters:
  ///   - replacing: whether a file of that name may be replaced.
  ///   - adopting: whether a partial file that a former run left is taken over. It stays as it is
  ///     until `resume` or `startOver`, one of which must come first if `isAdopted`. Without it,
  ///     any partial file is replaced; with it, one that no run can have left is an error.
  ///   - check: is called before each piece is written, on another thread; after an error that it
  ///     throws, no more is.
  public init(
    path: FilePath, plan: ContainerPlan, replacing: Bool, adopting: Bool = false,
    check: @escaping @Sendable () throws(BytesError) -> Void = {}
  ) throws(ContainerError) {
    self.plan = plan
    results = Mutex(WrittenResults(plan: plan))
    do throws(BytesError) {
      output = try AtomicFile(
        path: path, replacing: replacing, adopting: adopting,
        magic: adopting ? ContainerFormat.magic : nil)
      if !output.isAdopted { try output.setByteCount(plan.byteCount) }
    } catch {
      throw .file(error)
    }
    pieces = PieceWriter(output: output, check: check)
  }

  /// The name under which the file will appear.
  public var path: FilePath { output.path }

  /// Starts an extent. Each must be written exactly once, by one thread at a time. Its bytes go to
  /// the disk in the background: an error of writing may come up with any later call.
  public func extent(_ index: Int) -> ExtentWriter {
    ExtentWriter(
      index: index, range: plan.byteRange(ofExtent: index),
      usedByteCount: plan.usedByteCount(ofExtent: index),
      hasDigest: plan.features.contains(.digests), path: path, pieces: pieces
    ) { [self] sums in
      results.withLock { results in
        results.writeCounts[index] += 1
        results.checksums[index] = sums.checksum
        if let digest = sums.digest { results.digests[index] = digest }
      }
    }
  }

  /// Calls `body` once all that was handed over so far is written; not at all after an error.
  package func afterWriting(_ body: @escaping WriteQueue.Work) throws(ContainerError) {
    try pieces.afterwards(body)
  }

  /// Waits until all that was handed over is written.
  /// - Throws: `file` if writing failed.
  public func finishWriting() throws(ContainerError) { try pieces.finish() }

  /// Writes the extent of the files; `bytes` gives the contents of each of `plan.files`.
  public func writeFiles(
    _ bytes: (PlannedFile) throws -> [UInt8]
  ) throws {
    guard let index = plan.filesExtent else { return }
    let writer = extent(index)
    for file in plan.files {
      try writer.pad(toMultipleOf: ContainerFormat.innerAlignment)
      let contents = try bytes(file)
      guard contents.count == file.byteCount else {
        throw ContainerError.wrongExtentByteCount(
          path: path, extent: index, planned: file.byteCount, written: contents.count)
      }
      try writer.append(contents)
    }
    try writer.finish()
  }

  /// Sets the error of a tensor, given by its place in the plan.
  public func setErrorRecord(_ record: ErrorRecord, ofTensor tensor: Int, inExtent extent: Int) {
    results.withLock { $0.errors[plan.firstTensors[extent] + tensor] = record }
  }

  /// Sets the content checksum of a source file, given by its place in `plan.sources`: XXH3-64 over
  /// the checksums of its tensors, as formats/container.md defines it.
  public func setContentChecksum(_ checksum: UInt64, ofSource source: Int) {
    results.withLock { $0.sourceChecksums[source] = checksum }
  }

  /// Writes the index and forces all to the disk: what is left is to give the file its name.
  ///
  /// Comes after all extents.
  /// - Throws: `wrongExtentWrites`, `wrongErrorRecord` if something is missing; `file`.
  public func seal() throws(ContainerError) {
    try finishWriting()
    let results = results.withLock { $0 }
    if results.isSealed { return }
    for (extent, count) in results.writeCounts.enumerated() where count != 1 {
      throw .wrongExtentWrites(path: path, extent: extent, count: count)
    }
    for (placed, error) in zip(plan.tensors, results.errors)
    where placed.tensor.hasErrorRecord != (error != nil) {
      throw .wrongErrorRecord(path: path, tensor: placed.tensor.name)
    }
    let index = IndexWriter(plan: plan, results: results)
    do throws(BytesError) {
      var checksums: [UInt64] = []
      for section in plan.sections {
        let bytes = index.bytes(of: section)
        checksums.append(Checksum.of(bytes.rawSpan))
        try output.write(bytes.rawSpan, at: section.byteOffset)
      }
      try output.write(index.header(checksums: checksums).rawSpan, at: 0)
      try output.sync()
    } catch {
      throw .file(error)
    }
    self.results.withLock { $0.isSealed = true }
  }

  /// Seals the file, unless that was done, and gives it its name. Until it returns there is no file
  /// of that name, or the old one.
  /// - Throws: what `seal` throws, and `file`.
  public func publish() throws(ContainerError) {
    try seal()
    do throws(BytesError) {
      try output.publish()
    } catch {
      throw .file(error)
    }
  }

  /// Removes what was written. Nothing appears under the file's name.
  public func discard() {
    try? finishWriting()
    output.discard()
  }
}
