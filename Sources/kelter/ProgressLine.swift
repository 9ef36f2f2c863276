import Conversion
import Foundation
import Synchronization
import Validation

/// Shows how far a long run is, on stderr: a bar with rate and time left on a terminal, a line now
/// and then elsewhere.
final class ProgressLine: Sendable {
  private struct State {
    var start = ContinuousClock.now
    var phase = ""
    var lastShown: ContinuousClock.Instant?
    var isOpen = false
  }

  private let state = Mutex(State())
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let isQuiet: Bool

  init(quiet: Bool) {
    isQuiet = quiet
  }

  /// Takes one report; cheap enough to be called for every tile.
  func update(_ progress: Conversion.Progress) {
    guard !isQuiet else { return }
    state.withLock { state in
      let now = ContinuousClock.now
      if state.phase != progress.phase {
        state.phase = progress.phase
        state.start = now
        state.lastShown = isTerminal ? nil : now
      }
      let interval: Duration = isTerminal ? .milliseconds(100) : .seconds(30)
      if let last = state.lastShown, now - last < interval { return }
      state.lastShown = now
      show(progress, elapsed: (now - state.start) / .seconds(1), &state)
    }
  }

  /// Prints a line of its own.
  func note(_ line: String) {
    guard !isQuiet else { return }
    finish()
    Terminal.printError("kelter: " + line.onOneLine)
  }

  /// Leaves the terminal's line clean for what is printed next.
  func finish() {
    state.withLock { state in
      if state.isOpen { write("\r\u{1B}[K") }
      state.isOpen = false
    }
  }

  private func show(_ progress: Conversion.Progress, elapsed: Double, _ state: inout State) {
    let share = progress.total == 0 ? 1 : Double(progress.done) / Double(progress.total)
    var text =
      "\(progress.phase) \(Figures.bytes(progress.done)) of \(Figures.bytes(progress.total))"
    // Before that, a rate says nothing yet.
    if elapsed > 2, share > 0.02 {
      text += ", \(Figures.bytes(Int(Double(progress.done) / elapsed)))/s"
      text += ", \(Self.time(elapsed / share * (1 - share))) left"
    }
    if !progress.detail.isEmpty { text += " (\(progress.detail))" }
    if isTerminal {
      let columns = Self.terminalColumns - 1
      let barWidth = columns >= 100 ? 24 : 10
      let filled = Int(share * Double(barWidth))
      let bar =
        String(repeating: "█", count: filled) + String(repeating: "░", count: barWidth - filled)
      // A line that wraps could not be taken back.
      let line = "\(bar) \(Int(share * 100)) % \(text)".prefix(columns)
      write("\r\u{1B}[K\(line)")
      state.isOpen = true
    } else {
      write("\(Int(share * 100)) % \(text)\n")
    }
  }

  /// The width of the terminal; 80 where it does not tell.
  private static var terminalColumns: Int {
    var size = winsize()
    guard unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return 80
    }
    return Int(size.ws_col)
  }

  private func write(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }

  /// `45 s`, `12 min`, `3 h 20 min`
  static func time(_ seconds: Double) -> String {
    let seconds = Int(seconds.rounded(.up))
    if seconds < 90 { return "\(seconds) s" }
    let minutes = (seconds + 59) / 60
    return minutes < 90 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
  }
}
