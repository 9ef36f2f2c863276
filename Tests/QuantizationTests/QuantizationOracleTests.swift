import ElementFormats
import Quantization
import Tensors
import Testing

/// Codes and decoded values against a plain computation in Float64 over the scalar codecs.
@Suite struct QuantizationOracleTests {
  /// The numbers that codes can stand for, in units of the scale.
  static func levels(of code: CodeFormat, zeroPoint: Int) -> [(code: UInt8, number: Double)] {
    switch code {
    case .e4m3:
      (UInt8.min...UInt8.max).map { ($0, Double(Float(E4M3(bitPattern: $0)))) }
        .filter { !$0.1.isNaN }
    case .e2m1: (UInt8(0)...15).map { ($0, Double(Float(E2M1(bitPattern: $0)))) }
    case .int8: (UInt8.min...UInt8.max).map { ($0, Double(Int8(bitPattern: $0))) }
    case .int4: (UInt8(0)...15).map { ($0, Double($0) - 8) }
    case .uint4: (UInt8(0)...15).map { ($0, Double($0) - Double(zeroPoint)) }
    // Levels are a tensor's own.
    case .lut4, .lut3: []
    }
  }

  static func scales(of quantized: QuantizedMatrix, format: QuantizationFormat) -> [Float] {
    let bytes = quantized.scales
    switch format.scale {
    case .f32:
      return stride(from: 0, to: bytes.count, by: 4).map { start in
        Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * $1) })
      }
    case .bf16:
      return stride(from: 0, to: bytes.count, by: 2).map {
        Float(BFloat16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8))
      }
    case .f8E8M0: return bytes.map { Float(E8M0(bitPattern: $0)) }
    default: return bytes.map { Float(E4M3(bitPattern: $0)) * (quantized.globalScale ?? 1) }
    }
  }

  static func nibble(_ bytes: some RandomAccessCollection<UInt8>, _ index: Int) -> UInt8 {
    let byte = bytes[bytes.index(bytes.startIndex, offsetBy: index / 2)]
    return index % 2 == 0 ? byte & 15 : byte >> 4
  }

  @Test(arguments: KernelTwinTests.formats, [ScaleSearch.absmax, .full])
  func codesAreNearest(format: QuantizationFormat, search: ScaleSearch) {
    let (rows, columns) = (130, 75)
    var matrix = normalValues(rows * columns, seed: 3)
    matrix[7] = .nan
    matrix[80] = .infinity
    matrix[5000] = -.infinity
    let quantized = QuantizedMatrix(
      matrix, rows: rows, columns: columns, format: format, search: search)
    let layout = QuantizedLayout(format: format, rows: rows, columns: columns)
    let scales = Self.scales(of: quantized, format: format)
    for row in 0..<rows {
      let codes = quantized.codes[
        (row * layout.codeRowByteCount)..<((row + 1) * layout.codeRowByteCount)]
      for column in 0..<columns {
        let scaleRow = row / (format.blockRows ?? rows)
        let group = column / (format.blockColumns ?? columns)
        let scale = Double(scales[scaleRow * layout.scaleColumns + group])
        let zeroPoint =
          format.hasZeroPoints
          ? Self.nibble(
            quantized.zeroPoints[(scaleRow * layout.zeroPointRowByteCount)...], group) : 0
        let code =
          format.code.bitsPerCode == 4
          ? Self.nibble(codes, column) : codes[codes.startIndex + column]
        let levels = Self.levels(of: format.code, zeroPoint: Int(zeroPoint))
        let number = levels.first { $0.code == code }!.number
        let decoded = quantized.values[row * columns + column]
        #expect(decoded == Float(number * scale))
        let value = Double(matrix[row * columns + column])
        if value.isNaN {
          #expect(number == 0)
        } else if value.isInfinite {
          let ends = levels.map { $0.number * scale }
          #expect(number * scale == (value > 0 ? ends.max()! : ends.min()!))
        } else {
          let nearest = levels.map { abs(value - $0.number * scale) }.min()!
          // A quotient in Float32 may fall to the other side of a tie.
          if abs(value - number * scale) > nearest + abs(value) * 0x1p-22 {
            Issue.record("(\(row), \(column)): \(value) became \(number) × \(scale)")
          }
        }
      }
    }
  }

  /// For small groups: no BFloat16 scale, of the size that comes into question, is much better than
  /// the one that full search finds.
  @Test func fullSearchIsNearTheBest() {
    let format = Scheme.int4G32.format!
    let columns = 32
    let rows = 64
    let matrix = normalValues(rows * columns, seed: 11)
    let quantized = QuantizedMatrix(
      matrix, rows: rows, columns: columns, format: format, search: .full)
    var (found, best) = (0.0, 0.0)
    for row in 0..<rows {
      let range = row * columns..<(row + 1) * columns
      let values = matrix[range].map(Double.init)
      let extreme = values.map(\.magnitude).max()!
      found += zip(values, quantized.values[range])
        .reduce(0) { $0 + ($1.0 - Double($1.1)) * ($1.0 - Double($1.1)) }
      var least = Double.infinity
      for pattern in UInt16.min...UInt16.max {
        let scale = Double(Float(BFloat16(bitPattern: pattern)))
        guard abs(scale) > extreme / 12, abs(scale) < extreme / 4 else { continue }
        let error = values.reduce(0) { sum, value in
          let code = min(max((value / scale).rounded(.toNearestOrEven), -8), 7)
          return sum + (value - code * scale) * (value - code * scale)
        }
        least = min(least, error)
      }
      best += least
    }
    #expect(found >= best * 0.999_999)
    #expect(found <= best * 1.01)
  }
}
