internal import Dispatch
internal import Synchronization
internal import SystemPackage

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Stops long runs on SIGINT, SIGTERM and SIGHUP in order: what a later run can go on from is kept,
/// and nothing else stays behind.
public enum Interruption {
  private static let isRequested = Atomic<Bool>(false)

  /// Lets SIGINT, SIGTERM and SIGHUP request an interruption instead of ending the process.
  public static func handleSignals() {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number) { _ in Interruption.isRequested.store(true, ordering: .relaxed) }
      unsafe sigaddset(&signals, number)
    }
    // A parent may have started this process with the signals blocked.
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// - Throws: `ConversionError.interrupted` if an interruption was requested.
  static func check() throws(ConversionError) {
    if isRequested.load(ordering: .relaxed) { throw .interrupted }
  }
}
