/// Memory that is filled from its start and starts at a page, as writing around the page cache
/// wants it. For one thread at a time.
@safe
public final class PageBuffer: @unchecked Sendable {
  // Unchecked: whoever holds it, alone, changes it.

  /// How many bytes it can hold: whole pages.
  public let capacity: Int
  /// How many it holds.
  public private(set) var byteCount = 0
  private let address: UnsafeMutableRawPointer

  /// - Parameter capacity: at least one byte; rounded up to whole pages.
  public init(capacity: Int) {
    precondition(capacity > 0)
    self.capacity = capacity.roundedUp(toMultipleOf: DirectDescriptor.alignment)
    unsafe address = .allocate(
      byteCount: self.capacity, alignment: DirectDescriptor.alignment)
  }

  deinit { unsafe address.deallocate() }

  /// What it holds.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = unsafe RawSpan(
        _unsafeBytes: UnsafeRawBufferPointer(start: address, count: byteCount))
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// Takes as many bytes as fit, and tells how many.
  public func append(_ bytes: RawSpan) -> Int {
    let count = min(bytes.byteCount, capacity - byteCount)
    if count == 0 { return 0 }
    unsafe bytes.withUnsafeBytes {
      unsafe (address + byteCount).copyMemory(from: $0.baseAddress!, byteCount: count)
    }
    byteCount += count
    return count
  }

  /// Whether no byte more fits.
  public var isFull: Bool { byteCount == capacity }

  /// Forgets what it holds.
  public func removeAll() { byteCount = 0 }
}
