public import Bytes
import Validation

/// What can go wrong between a checkpoint and its output, apart from what the modules below find.
public enum ConversionError: KelterError {
  /// A GGUF file whose names no family knows.
  case unknownGGUF(file: String, architecture: String?)
  /// A recipe is not what recipes are.
  case invalidRecipe(file: String, reason: String)
  /// A file of importance does not fit the tensors, or holds what no importance can be.
  case invalidImportance(file: String, reason: String)
  /// A rule asks for a scheme that the tensor cannot have.
  case schemeDoesNotFit(tensor: String, scheme: String, reason: String)
  /// A weight holds NaN or infinity.
  case nonFiniteWeight(tensor: String, count: Int)
  /// The token file has no usable ids.
  case invalidTokens(file: String, reason: String)
  /// The memory limit is below what one worker needs.
  case memoryLimitTooSmall(limit: Int, needed: Int)
  /// The disk has too little room for the output.
  case tooLittleRoom(folder: String, needed: Int, available: Int)
  /// A figure of the layers cannot be had for this checkpoint.
  case cannotMeasure(reason: String)
  /// The container and the source do not hold the same tensors.
  case differentTensors(container: String, reason: String)
  /// The parts of a tensor in a container do not make the tensor that the source had.
  case cannotReassemble(tensor: String)
  /// The container was damaged after it was written.
  case damagedContainer(container: String, damage: String)
  /// A container was to be packed that is packed, or to be unpacked that is not.
  case packedAlready(file: String)
  case notPacked(file: String)
  /// Two things to compare have nothing in common, or cannot be compared.
  case notComparable(reason: String)
  /// The output would replace a file of the source.
  case outputIsSource(path: String)
  /// The folder to write exists, or cannot be made.
  case cannotCreateFolder(path: String, reason: String)
  /// The run was asked to stop.
  case interrupted
  /// A file of the source is not any more what it was when the run began.
  case sourceChanged(file: String)
  /// The partial file comes from a run that was asked for something else.
  case cannotResume(partial: String, change: String, isOfSource: Bool)
  /// A run ended before its time, and what it has done is kept.
  case kept(any KelterError, partial: String)
  /// The partial file of a conversion, or its journal, stands where a finished file is wanted.
  case unfinished(file: String, isJournal: Bool, scheme: String?)
  /// The partial file of a run that was killed, and cannot be gone on with, stands where a finished
  /// file is wanted.
  case leftOver(file: String)
  /// An output that is to be written in another way would take the place of an unfinished
  /// conversion.
  case takenByConversion(file: String)
  /// A file that no run has left stands where a conversion keeps what is done.
  case foreign(path: String)
  /// What names a repository on the Hugging Face Hub stands where a checkpoint is wanted.
  case notLocal(repository: String)
  /// A container, packed or not, stands where a checkpoint is wanted.
  case notACheckpoint(file: String)
  /// A folder stands where a container is wanted.
  case notAContainer(folder: String)

  public var kind: FailureKind {
    switch self {
    case .invalidRecipe, .invalidImportance, .schemeDoesNotFit, .memoryLimitTooSmall,
      .notComparable:
      .usage
    case .unknownGGUF, .nonFiniteWeight, .damagedContainer, .invalidTokens, .cannotMeasure,
      .differentTensors, .cannotReassemble, .packedAlready, .notPacked:
      .invalidInput
    case .tooLittleRoom, .outputIsSource, .cannotCreateFolder, .takenByConversion, .foreign:
      .cannotCreate
    case .interrupted: .interrupted
    case .notLocal: .notFound
    case .sourceChanged, .unfinished, .leftOver, .notACheckpoint, .notAContainer: .invalidInput
    case .cannotResume(_, _, let isOfSource): isOfSource ? .invalidInput : .cannotCreate
    case .kept(let error, _): error.kind
    }
  }

  public var description: String {
    switch self {
    case .unknownGGUF(let file, let architecture):
      "\(file): a GGUF file" + (architecture.map { " of a \($0) model" } ?? "")
        + " has llama.cpp's names, by which no family is known; --family generic converts it"
        + " without measuring layers, and the release's own folder is measured"
    case .invalidRecipe(let file, let reason): "\(file): not a recipe: \(reason)"
    case .invalidImportance(let file, let reason): "\(file): not usable as importance: \(reason)"
    case .schemeDoesNotFit(let tensor, let scheme, let reason):
      "\(tensor): cannot become \(scheme): \(reason); choose 'keep' for it in the recipe"
    case .nonFiniteWeight(let tensor, let count):
      "\(tensor): \(count) weight(s) are NaN or infinite; --allow-nonfinite goes on without them"
    case .invalidTokens(let file, let reason): "\(file): not usable as tokens: \(reason)"
    case .memoryLimitTooSmall(let limit, let needed):
      "a memory limit of \(Figures.bytes(limit)) is too small: this checkpoint needs"
        + " \(Figures.bytes(needed)) (\(needed) bytes) for one thread; raise --memory-limit"
    case .tooLittleRoom(let folder, let needed, let available):
      "\(folder): the output needs \(Figures.bytes(needed)),"
        + " and \(Figures.bytes(available)) are free; make room, or choose another disk"
    case .outputIsSource(let path):
      "\(path): belongs to the source, which is never replaced; choose another output"
    case .cannotMeasure(let reason): "the layers cannot be measured: \(reason)"
    case .differentTensors(let container, let reason):
      "\(container): does not come from this source: \(reason)"
    case .cannotReassemble(let tensor):
      "tensor \(tensor): its parts do not make the tensor that the source had; convert it again"
    case .damagedContainer(let container, let damage):
      "\(container): \(damage); copy or convert it again"
    case .packedAlready(let file): "\(file): is packed already; `kelter unpack` restores it"
    case .notPacked(let file): "\(file): is not packed: it can be used as it is"
    case .notComparable(let reason): reason
    case .cannotCreateFolder(let path, let reason): "\(path): \(reason)"
    case .interrupted: BytesError.interrupted.description
    case .sourceChanged(let file):
      "\(file): has changed since the run began; nothing was published"
    case .cannotResume(let partial, let change, let isOfSource):
      "\(partial): cannot be gone on with: \(change); "
        + (isOfSource ? "put it back as it was" : "run the command that began it")
        + ", or drop what is done with --restart"
    case .kept(ConversionError.sourceChanged(let file), let partial):
      "\(file): has changed since the run began; what is done is kept in \(partial): put the file"
        + " back as it was to go on from there, or drop that with --restart"
    case .kept(let error, let partial) where error.kind == .invalidInput:
      "\(error); what is done is kept in \(partial), for this source only: one that was mended is"
        + " converted anew with --restart"
    case .kept(let error, let partial):
      "\(error); what is done is kept in \(partial), and the same command goes on from there"
    case .unfinished(let file, let isJournal, let scheme):
      "\(file): \(isJournal ? "the journal of " : "")an unfinished conversion"
        + (scheme.map { " to \($0)" } ?? "") + (isJournal ? "" : ", not a .kelter file yet")
        + "; the `kelter convert` that began it goes on from \(isJournal ? "there" : "here")"
    case .leftOver(let file):
      "\(file): was left by a run that was killed, and is not a whole file; the same command makes"
        + " it anew"
    case .takenByConversion(let file):
      "\(file): an unfinished conversion would be lost; end it by the command that began it,"
        + " remove it, or choose another output"
    case .foreign(let path):
      "\(path): was not written by kelter, and a conversion would overwrite it; move it away, or"
        + " drop it with --restart"
    case .notLocal(let repository):
      "\(repository): there is no such file or folder; if it is a repository on the Hub, fetch it"
        + " first: hf download \(repository) --local-dir FOLDER"
    case .notACheckpoint(let file):
      "\(file): is a .kelter file, where a checkpoint is wanted; `kelter export` makes one of it"
    case .notAContainer(let folder):
      "\(folder): is a folder, where a .kelter file is wanted; `kelter convert` makes one of a"
        + " checkpoint"
    }
  }
}
