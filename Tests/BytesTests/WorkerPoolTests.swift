import Bytes
import Foundation
import Synchronization
import Testing

/// Work by several threads: each index once, errors by the lowest, and no one too far ahead.
@Suite struct WorkerPoolTests {
  private struct Failure: Error, Equatable {
    let index: Int
  }

  @Test(arguments: [1, 2, 7], [nil, 1, 3] as [Int?])
  func doesEachIndexOnce(threads: Int, lead: Int?) throws {
    for count in [0, 1, 2, 50] {
      let counts = Mutex([Int](repeating: 0, count: count))
      WorkerPool.forEach(count: count, threads: threads, lead: lead) { index in
        counts.withLock { $0[index] += 1 }
      }
      #expect(counts.withLock { $0 } == [Int](repeating: 1, count: count))
    }
  }

  /// While the first index is slow, only as many others are begun as may wait behind it.
  @Test(arguments: [2, 4, 8]) func nobodyRunsTooFarAhead(lead: Int) throws {
    let finished = Mutex<Set<Int>>([])
    let furthest = Atomic(0)
    WorkerPool.forEach(count: 64, threads: 3, lead: lead) { index in
      let first = finished.withLock { finished in
        (0..<64).first { !finished.contains($0) } ?? 64
      }
      furthest.max(index - first, ordering: .relaxed)
      if index % 16 == 0 { Thread.sleep(forTimeInterval: 0.02) }
      finished.withLock { _ = $0.insert(index) }
    }
    #expect(finished.withLock { $0.count } == 64)
    #expect(furthest.load(ordering: .relaxed) < lead)
  }

  /// An error ends the work, also that of threads that wait for their turn.
  @Test(arguments: [nil, 1, 2] as [Int?]) func throwsTheErrorOfTheLowestIndex(lead: Int?) throws {
    let begun = Atomic(0)
    let error = #expect(throws: Failure.self) {
      try WorkerPool.forEach(count: 1000, threads: 4, lead: lead) { (index) throws(Failure) in
        begun.add(1, ordering: .relaxed)
        if index >= 5 { throw Failure(index: index) }
      }
    }
    #expect(error == Failure(index: 5))
    #expect(begun.load(ordering: .relaxed) < 20)
  }

  /// Sums must not depend on which thread was faster.
  @Test func sinksKeepTheOrder() throws {
    let order = Mutex<[Int]>([])
    let sink = OrderedSink<Int> { value in order.withLock { $0.append(value) } }
    try WorkerPool.forEach(count: 100, threads: 4, lead: 8) { index in
      if index % 7 == 0 { Thread.sleep(forTimeInterval: 0.001) }
      try sink.submit(index, index: index)
    }
    #expect(order.withLock { $0 } == Array(0..<100))
  }
}
