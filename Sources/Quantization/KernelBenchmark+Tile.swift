import CKernels

extension KernelBenchmark {
  /// What is written again and again. It starts at a line of the cache: a vector that is stored
  /// across two takes longer, and where an array starts is chance.
  final class Tile<Element: BitwiseCopyable> {
    private var lines: [SIMD64<UInt8>]

    /// - Parameter count: how many elements there are, which fill whole lines.
    init(count: Int) {
      let byteCount = count * MemoryLayout<Element>.stride
      precondition(byteCount % 64 == 0)
      lines = [SIMD64<UInt8>](repeating: .zero, count: byteCount / 64)
    }

    /// The array is taken out and put back, because no span of it may outlive an access to a class.
    func lend(_ body: (inout MutableSpan<Element>) -> Void) {
      var taken: [SIMD64<UInt8>] = []
      swap(&taken, &lines)
      unsafe taken.withUnsafeMutableBytes { bytes in
        var elements = unsafe MutableSpan<Element>(_unsafeBytes: bytes)
        body(&elements)
      }
      swap(&taken, &lines)
    }
  }

  /// memcpy, to a tile as large as a piece.
  func copying(_ byteCount: Int) -> Kernel {
    let tile = Tile<UInt8>(count: byteCount)
    return Kernel(
      name: "memcpy", pieceByteCount: byteCount, pieceWeightCount: nil,
      pieceCount: Self.sourceByteCount / byteCount
    ) { piece in
      tile.lend { tile in
        unsafe bytes.withUnsafeBufferPointer { source in
          unsafe tile.withUnsafeMutableBufferPointer { tile in
            guard let source = source.baseAddress, let tile = tile.baseAddress else { return }
            unsafe ck_copy(source + piece * byteCount, byteCount, tile)
          }
        }
      }
    }
  }
}
