internal import Bytes
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
  /// 128 and the number of SIGINT, whichever of them came.
  public static let exitCode: Int32 = 130
  private static let isRequested = Atomic<Bool>(false)

  /// Lets SIGINT, SIGTERM and SIGHUP end the process at once, with the exit code of an
  /// interruption: as long as nothing is under way that would have to be kept or cleared away.
  public static func exitOnSignals() {
    // Beyond the largest file that `ulimit -f` allows, writing fails like on a full disk.
    signal(SIGXFSZ, SIG_IGN)
    handle { _ in
      let line: StaticString = "kelter: error: interrupted\n"
      _ = unsafe write(STDERR_FILENO, line.utf8Start, line.utf8CodeUnitCount)
      _exit(Interruption.exitCode)
    }
  }

  /// Lets SIGINT, SIGTERM and SIGHUP request an interruption instead of ending the process.
  public static func handleSignals() {
    handle { _ in Interruption.isRequested.store(true, ordering: .relaxed) }
  }

  private static func handle(_ handler: @escaping @convention(c) (Int32) -> Void) {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      let former = signal(number, handler)
      // `nohup` wants a run to outlive its terminal.
      if number == SIGHUP, isIgnoring(former) { signal(number, SIG_IGN) }
      unsafe sigaddset(&signals, number)
    }
    // A parent may have started this process with the signals blocked.
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  private static func isIgnoring(_ handler: (@convention(c) (Int32) -> Void)?) -> Bool {
    unsafe unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// - Throws: `ConversionError.interrupted` if an interruption was requested.
  public static func check() throws(ConversionError) {
    if isRequested.load(ordering: .relaxed) { throw .interrupted }
  }

  /// The same for what is written in the background.
  /// - Throws: `BytesError.interrupted`.
  @Sendable static func checkBeforeWriting() throws(BytesError) {
    if isRequested.load(ordering: .relaxed) { throw .interrupted }
  }
}
