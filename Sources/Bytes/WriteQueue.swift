import Foundation
import Synchronization

/// Writing that is done on a thread of its own, in the order in which it was asked for: whoever
/// makes the bytes does not wait for the disk.
///
/// After an error nothing more is written, and every call throws it. What is handed over must not
/// hold the queue itself, which lives until all is done.
package final class WriteQueue: Sendable {
  package typealias Work = @Sendable () throws(BytesError) -> Void

  private let line = Line()
  /// One for each write that may wait or be under way.
  private let places: DispatchSemaphore
  private let underWay = DispatchGroup()

  /// - Parameter limit: how many writes may wait or be under way before the next has to.
  package init(limit: Int) {
    places = DispatchSemaphore(value: max(1, limit))
    // Not the queue: the thread would keep it alive.
    let line = line
    let thread = Thread { while let done = line.doNext() { done() } }
    thread.stackSize = 1 << 20
    thread.start()
  }

  deinit {
    underWay.wait()
    line.end()
  }

  /// Hands a write over, once it has a place.
  /// - Throws: the error of a former one.
  package func write(_ work: @escaping Work) throws(BytesError) {
    places.wait()
    underWay.enter()
    line.add(work) { [places, underWay] in
      places.signal()
      underWay.leave()
    }
    try check()
  }

  /// Hands over what comes after all writes so far, and is small.
  /// - Throws: the error of a former write.
  package func afterwards(_ work: @escaping Work) throws(BytesError) {
    underWay.enter()
    line.add(work) { [underWay] in underWay.leave() }
    try check()
  }

  /// Waits until all is done.
  /// - Throws: the first error.
  package func finish() throws(BytesError) {
    underWay.wait()
    try check()
  }

  private func check() throws(BytesError) {
    if let failure = line.failure { throw failure }
  }
}

/// What waits, and what came of it.
private final class Line: Sendable {
  private struct State {
    var waiting: [(work: WriteQueue.Work, done: @Sendable () -> Void)] = []
    var failure: BytesError?
  }

  private let state = Mutex(State())
  /// One for each that waits, and one for the end.
  private let arrived = DispatchSemaphore(value: 0)

  var failure: BytesError? { state.withLock { $0.failure } }

  func add(_ work: @escaping WriteQueue.Work, done: @escaping @Sendable () -> Void) {
    state.withLock { $0.waiting.append((work, done)) }
    arrived.signal()
  }

  func end() { arrived.signal() }

  /// Does the next, or drops it after an error. By then nothing is held of it: who waits for the
  /// end may close the file.
  /// - Returns: whom to tell; nil at the end.
  func doNext() -> (@Sendable () -> Void)? {
    arrived.wait()
    let (next, isDropped) = state.withLock { state in
      (state.waiting.isEmpty ? nil : state.waiting.removeFirst(), state.failure != nil)
    }
    guard let next else { return nil }
    if !isDropped {
      do throws(BytesError) {
        try next.work()
      } catch {
        state.withLock { $0.failure = error }
      }
    }
    return next.done
  }
}
