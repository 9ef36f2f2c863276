/// What kind of failure an error is. The command line turns each into its exit code.
public enum FailureKind: Sendable, Hashable {
  /// The input contradicts itself or its format, or is not supported.
  case invalidInput
  /// The input is not there.
  case notFound
  /// The output exists, cannot be created, or has too little room.
  case cannotCreate
  /// An operation on a file failed while running.
  case inputOutput
  /// The run was stopped by a signal.
  case interrupted
  /// The request makes no sense.
  case usage
}

/// An error whose description is one line that names the file, the tensor and the cure, as far as
/// they are known. Every module's error type conforms.
public protocol KelterError: Error, Sendable, CustomStringConvertible {
  /// What kind of failure this is.
  var kind: FailureKind { get }
}
