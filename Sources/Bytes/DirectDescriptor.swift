import Synchronization
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A second descriptor of a file that is being written, around the page cache (O_DIRECT): the copy
/// into the cache would cost more than everything else that a conversion does to a byte.
///
/// It takes what is aligned in memory and in the file, and what a file system refuses goes the
/// ordinary way. The kernel keeps both ways of writing one file in step.
final class DirectDescriptor: Sendable {
  /// What addresses, offsets and sizes must be multiples of: no disk has larger blocks.
  static let alignment = 4096

  private let descriptor: Int32
  private let isRefused: Atomic<Bool>

  /// Opens the file of another descriptor once more, whatever its name is by now.
  init(of other: Int32) {
    do throws(Errno) {
      descriptor = try SystemCalls.open(
        FilePath("/proc/self/fd/\(other)"), O_WRONLY | SystemCalls.directFlag)
      isRefused = Atomic(false)
    } catch {
      descriptor = -1
      isRefused = Atomic(true)
    }
  }

  deinit { if descriptor >= 0 { SystemCalls.close(descriptor) } }

  /// Writes some of `bytes`; nil if they must go the ordinary way.
  func write(_ bytes: UnsafeRawBufferPointer, at byteOffset: Int) throws(Errno) -> Int? {
    let isAligned = [byteOffset, bytes.count, Int(bitPattern: bytes.baseAddress)].allSatisfy {
      $0 % Self.alignment == 0
    }
    guard isAligned, !isRefused.load(ordering: .relaxed) else { return nil }
    do throws(Errno) {
      return try unsafe SystemCalls.write(descriptor, at: byteOffset, bytes)
    } catch .invalidArgument {
      // Some file systems let such a file be opened and refuse what is written.
      isRefused.store(true, ordering: .relaxed)
      return nil
    }
  }
}
