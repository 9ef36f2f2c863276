import Bytes
import Container
import SystemPackage

/// What is known of journals and partial files before they are opened to be written.
extension Journal {
  /// Makes sure that a file which a user names is not one of a conversion under way.
  /// - Throws: `ConversionError.unfinished` for a partial file and for a journal, `.leftOver` for a
  ///   partial file without one.
  static func checkIsFinished(_ path: FilePath) throws(ConversionError) {
    guard let header = header(ofWorkFile: path) else {
      if isLeftOver(path) { throw .leftOver(file: path.string) }
      return
    }
    let scheme = JournalHeader(payload: header.payload)?.facts.first { $0.subject == "--scheme" }
    throw .unfinished(
      file: path.string, isJournal: path.extension == "journal", scheme: scheme?.value)
  }

  /// Makes sure that an output does not take the place of what another conversion has done.
  /// - Throws: `ConversionError.takenByConversion`.
  static func checkTakesNothing(_ output: FilePath) throws(ConversionError) {
    if header(ofWorkFile: output) != nil { throw .takenByConversion(file: output.string) }
  }

  /// Makes sure that whoever writes an output in another way drops no conversion.
  /// - Throws: `ConversionError.takenByConversion`.
  static func checkIsFree(_ output: FilePath) throws(ConversionError) {
    try checkTakesNothing(output)
    try checkTakesNothing(AtomicFile.partialPath(of: output))
  }

  /// Whether a file is a journal, or what a power cut has left of one.
  static func isOwn(_ file: some ByteSource) -> Bool {
    let magic = JournalRecord.magic
    guard let start = try? file.bytes(in: 0..<min(magic.count, file.byteCount)) else {
      return false
    }
    return start == Array(magic.prefix(start.count)) || start.allSatisfy { $0 == 0 }
  }

  /// Removes what a run has left that was killed between publishing and tidying up.
  static func removeLeftovers(of output: FilePath) {
    let partial = AtomicFile.partialPath(of: output)
    if let there = try? SystemCalls.status(of: partial, followingLinks: false) {
      // The other name of the finished file goes too; any other partial file is somebody's work.
      guard let file = try? SystemCalls.status(of: output, followingLinks: false),
        file.device == there.device, file.inode == there.inode,
        (try? SystemCalls.remove(partial)) != nil
      else { return }
    }
    if header(of: output) != nil { try? SystemCalls.remove(path(of: output)) }
  }

  /// Whether a file is what packing or unpacking has left that was killed, or a conversion whose
  /// journal is gone.
  private static func isLeftOver(_ path: FilePath) -> Bool {
    guard path.extension == "partial", let stem = path.stem, FilePath(stem).isNamedAsContainer,
      (try? Folder.kind(of: path)) == .file
    else { return false }
    return (try? ContainerReader(path: path)) == nil
  }

  /// What the journal of a conversion begins with whose partial file or journal this is; nil for
  /// any other file.
  private static func header(ofWorkFile path: FilePath) -> JournalRecord? {
    guard path.extension == "partial" || path.extension == "journal", let stem = path.stem,
      (try? SystemCalls.status(of: path, followingLinks: false)) != nil
    else { return nil }
    return header(of: path.removingLastComponent().appending(stem))
  }

  /// What the journal of an output begins with, if there is one.
  private static func header(of output: FilePath) -> JournalRecord? {
    guard let file = try? File(path: path(of: output)),
      let record = JournalRecord(in: file, at: 0), record.kind == .header
    else { return nil }
    return record
  }
}
