import Foundation
import Synchronization

/// Work done by several threads, index by index.
package enum WorkerPool {
  /// Calls `body` for every index from 0, each once, on up to `threads` threads. Indices are handed
  /// out in order. After an error no further index is started, and the error with the lowest index
  /// is thrown.
  /// - Parameter lead: how many indices may be under way or done from the first that is not done
  ///   on; nil for no bound. It bounds what waits for its turn behind a slow one.
  package static func forEach<Failure: Error>(
    count: Int, threads: Int, lead: Int? = nil,
    _ body: @escaping @Sendable (_ index: Int) throws(Failure) -> Void
  ) throws(Failure) {
    let state = Mutex(State<Failure>())
    // Each index holds a place from its start until it and all before it are done.
    let places = lead.map { DispatchSemaphore(value: max(1, $0)) }

    @Sendable func work() {
      while true {
        places?.wait()
        guard let index = state.withLock({ $0.start(of: count) }) else {
          // The next thread in the queue finds nothing either.
          places?.signal()
          return
        }
        var failure: Failure?
        do throws(Failure) { try body(index) } catch { failure = error }
        let freed = state.withLock { $0.finish(index, failure) }
        for _ in 0..<freed { places?.signal() }
      }
    }

    let group = DispatchGroup()
    for _ in 1..<max(1, min(threads, count)) {
      group.enter()
      let thread = Thread {
        work()
        group.leave()
      }
      thread.stackSize = 1 << 20
      thread.start()
    }
    work()
    group.wait()
    if let failure = state.withLock({ $0.failure }) { throw failure.error }
  }

  private struct State<Failure: Error> {
    var failure: (index: Int, error: Failure)?
    private var next = 0
    /// The first index that is not done, and those after it that are.
    private var firstUndone = 0
    private var done: Set<Int> = []

    /// The next index to do; nil if there is none or an error came up.
    mutating func start(of count: Int) -> Int? {
      guard failure == nil, next < count else { return nil }
      defer { next += 1 }
      return next
    }

    /// Takes note that an index is done, and tells by how many `firstUndone` moves on.
    mutating func finish(_ index: Int, _ error: Failure?) -> Int {
      if let error, failure.map({ index < $0.index }) ?? true { failure = (index, error) }
      done.insert(index)
      let before = firstUndone
      while done.remove(firstUndone) != nil { firstUndone += 1 }
      return firstUndone - before
    }
  }
}

/// Takes values in any order and hands them on in the order of their indices, so that sums do not
/// depend on which thread was faster.
package final class OrderedSink<Value: Sendable>: Sendable {
  private let state = Mutex<(next: Int, waiting: [Int: Value])>((0, [:]))
  private let consume: @Sendable (Value) throws -> Void

  /// - Parameter consume: called for index 0, 1, 2 …, never twice at once.
  package init(_ consume: @escaping @Sendable (Value) throws -> Void) {
    self.consume = consume
  }

  /// Hands on the value once all with a lower index are.
  package func submit(_ value: Value, index: Int) throws {
    try state.withLock { state in
      state.waiting[index] = value
      while let value = state.waiting.removeValue(forKey: state.next) {
        state.next += 1
        try consume(value)
      }
    }
  }
}
