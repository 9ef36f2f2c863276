/// The distance from one expert of a layer to the next.
enum ExpertStride {
  /// The stride in bytes where all experts are equal in size and equally spaced, else 0.
  /// A single expert's stride is its size.
  static func byteCount(of ranges: [Range<Int>]) -> Int {
    guard let first = ranges.first else { return 0 }
    guard ranges.count > 1 else { return first.count }
    let stride = ranges[1].lowerBound - first.lowerBound
    let isRegular = ranges.indices.allSatisfy {
      ranges[$0].count == first.count && ranges[$0].lowerBound == first.lowerBound + $0 * stride
    }
    return isRegular && stride > 0 ? stride : 0
  }
}
