import Bytes
import Dispatch
import Synchronization
import SystemPackage
import Testing

@Suite struct WriteQueueTests {
  private final class Log: Sendable {
    let entries = Mutex<[Int]>([])
    func add(_ entry: Int) { entries.withLock { $0.append(entry) } }
    var all: [Int] { entries.withLock { $0 } }
  }

  private static let failure = BytesError.writeFailed(path: "a", byteOffset: 3, .noSpace)

  @Test func keepsTheOrder() throws {
    let queue = WriteQueue(limit: 2)
    let log = Log()
    for index in 0..<100 {
      try queue.write { log.add(2 * index) }
      try queue.afterwards { log.add(2 * index + 1) }
    }
    try queue.finish()
    #expect(log.all == Array(0..<200))
  }

  /// The third write waits for the first; what comes afterwards needs no place.
  @Test func waitsForAPlace() throws {
    let queue = WriteQueue(limit: 2)
    let log = Log()
    let gate = DispatchSemaphore(value: 0)
    try queue.write { gate.wait() }
    try queue.write { log.add(1) }
    try queue.afterwards { log.add(2) }
    let isThrough = DispatchSemaphore(value: 0)
    DispatchQueue.global().async {
      try? queue.write { log.add(3) }
      isThrough.signal()
    }
    #expect(isThrough.wait(timeout: .now() + .milliseconds(50)) == .timedOut)
    #expect(log.all == [])
    gate.signal()
    isThrough.wait()
    try queue.finish()
    #expect(log.all == [1, 2, 3])
  }

  @Test func stopsAtTheFirstError() throws {
    let queue = WriteQueue(limit: 8)
    let log = Log()
    try queue.write { log.add(0) }
    try queue.finish()
    // Whether the call itself hears of it depends on the other thread.
    try? queue.write { () throws(BytesError) in throw Self.failure }
    try? queue.write { log.add(1) }
    try? queue.afterwards { log.add(2) }
    for _ in 0..<2 {
      let error = #expect(throws: BytesError.self) { try queue.finish() }
      #expect(error?.description == Self.failure.description)
    }
    #expect(throws: BytesError.self) { try queue.write { log.add(3) } }
    #expect(log.all == [0])
  }

  /// Who has waited for the end may close what the writes were to.
  @Test func holdsNothingAtTheEnd() throws {
    for _ in 0..<200 {
      let queue = WriteQueue(limit: 1)
      weak var held: Log?
      do {
        let log = Log()
        held = log
        try queue.write { log.add(0) }
      }
      try queue.finish()
      #expect(held == nil)
    }
  }

  @Test func endsWhatIsUnderWay() throws {
    let log = Log()
    do {
      let queue = WriteQueue(limit: 50)
      for index in 0..<50 { try queue.write { log.add(index) } }
    }
    #expect(log.all == Array(0..<50))
  }
}
