internal import Foundation
internal import Synchronization

/// Work done by several threads, index by index.
enum WorkerPool {
  /// Calls `body` for every index from 0, each once, on up to `threads` threads. Indices are handed
  /// out in order. After an error no further index is started, and the error with the lowest index
  /// is thrown.
  static func forEach(
    count: Int, threads: Int, _ body: @escaping @Sendable (_ index: Int) throws -> Void
  ) throws {
    let state = Mutex((next: 0, failure: (index: Int, error: any Error)?.none))

    @Sendable func work() {
      while true {
        let index: Int? = state.withLock { state in
          guard state.failure == nil, state.next < count else { return nil }
          defer { state.next += 1 }
          return state.next
        }
        guard let index else { return }
        do {
          try body(index)
        } catch {
          state.withLock { state in
            if state.failure.map({ index < $0.index }) ?? true { state.failure = (index, error) }
          }
        }
      }
    }

    let group = DispatchGroup()
    for _ in 1..<max(1, min(threads, count)) {
      group.enter()
      let thread = Thread {
        work()
        group.leave()
      }
      thread.stackSize = 4 << 20
      thread.start()
    }
    work()
    group.wait()
    if let failure = state.withLock({ $0.failure }) { throw failure.error }
  }
}

/// Takes values in any order and hands them on in the order of their indices, so that sums do not
/// depend on which thread was faster.
final class OrderedSink<Value: Sendable>: Sendable {
  private let state = Mutex<(next: Int, waiting: [Int: Value])>((0, [:]))
  private let consume: @Sendable (Value) throws -> Void

  /// - Parameter consume: called for index 0, 1, 2 …, never twice at once.
  init(_ consume: @escaping @Sendable (Value) throws -> Void) {
    self.consume = consume
  }

  /// Hands on the value once all with a lower index are.
  func submit(_ value: Value, index: Int) throws {
    try state.withLock { state in
      state.waiting[index] = value
      while let value = state.waiting.removeValue(forKey: state.next) {
        state.next += 1
        try consume(value)
      }
    }
  }
}
