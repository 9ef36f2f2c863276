import CKernels
import Tensors

extension Dequantizer {
  /// The number of values of a tile that lie outside their block's range by more than rounding to
  /// its outermost code explains, half a step: their error is that of clipping.
  public func clippedCount(
    of values: Span<Float>, scales: Span<UInt8>, zeroPoints: Span<UInt8>, rows: Int
  ) -> Int {
    let layout = QuantizedLayout(format: format, rows: rows, columns: columns)
    precondition(values.count == rows * columns)
    if values.count == 0 { return 0 }
    if var lut {
      precondition(scales.count == layout.scales.count)
      return unsafe values.withUnsafeBufferPointer { values in
        unsafe scales.withUnsafeBufferPointer { scales in
          unsafe Int(ck_lut_count_outside(&lut, scales.baseAddress, values.baseAddress, rows))
        }
      }
    }
    let scales = decodeScales(scales)
    precondition(scales.count == layout.scaleRows * layout.scaleColumns)
    let blockRows = format.blockRows ?? rows
    let groupColumns = format.blockColumns ?? columns
    var count = 0
    unsafe values.withUnsafeBufferPointer { values in
      guard let values = values.baseAddress else { return }
      for row in 0..<rows {
        let scaleRow = row / blockRows
        for group in 0..<layout.scaleColumns {
          let scale = scales[scaleRow * layout.scaleColumns + group]
          var zeroPoint: UInt8 = 0
          if format.hasZeroPoints {
            let byte = zeroPoints[scaleRow * layout.zeroPointRowByteCount + group / 2]
            zeroPoint = group % 2 == 0 ? byte & 15 : byte >> 4
          }
          let range = format.code.range(zeroPoint: zeroPoint)
          let start = group * groupColumns
          let ends = (range.lowerBound * scale, range.upperBound * scale)
          count += Int(
            unsafe ck_count_outside(
              values + row * columns + start, min(groupColumns, columns - start),
              min(ends.0, ends.1), max(ends.0, ends.1)))
        }
      }
    }
    return count
  }
}

extension CodeFormat {
  /// The numbers that round to a code without clipping, in units of the scale: half a step beyond
  /// the outermost codes.
  func range(zeroPoint: UInt8) -> ClosedRange<Float> {
    switch self {
    case .e4m3: -464...464
    case .e2m1: -7...7
    case .int8: -128.5...127.5
    case .int4: -8.5...7.5
    case .uint4: -0.5 - Float(zeroPoint)...15.5 - Float(zeroPoint)
    case .lut4, .lut3: preconditionFailure("the range of a group depends on its table")
    }
  }
}
