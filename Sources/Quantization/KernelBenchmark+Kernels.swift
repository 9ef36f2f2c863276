import Bytes
import CKernels
import Tensors

extension KernelBenchmark {
  /// A tile that kernels write to, and what else they need.
  private final class Tile {
    var bytes = [UInt8](repeating: 0, count: KernelBenchmark.tileByteCount)
    var values = [Float](repeating: 0, count: KernelBenchmark.tileByteCount / 4)
    var scales = [UInt8](repeating: 0, count: KernelBenchmark.tileByteCount)
    var zeroPoints = [UInt8](repeating: 0, count: KernelBenchmark.tileByteCount)
    var statistics = ErrorStatistics()
    var checksum: UInt64 = 0

    /// Arrays are taken out and put back, because no span of them may outlive an access to a class.
    func takeValues() -> [Float] {
      var taken: [Float] = []
      swap(&taken, &values)
      return taken
    }

    func takePlanes() -> (codes: [UInt8], scales: [UInt8], zeroPoints: [UInt8]) {
      var taken: (codes: [UInt8], scales: [UInt8], zeroPoints: [UInt8]) = ([], [], [])
      swap(&taken.codes, &bytes)
      swap(&taken.scales, &scales)
      swap(&taken.zeroPoints, &zeroPoints)
      return taken
    }
  }

  func copy(_ byteCount: Int) -> Kernel {
    let tile = Tile()
    return Kernel(name: "memcpy", weightByteCount: nil, pieceByteCount: byteCount) { offset in
      unsafe bytes.withUnsafeBufferPointer { source in
        unsafe tile.bytes.withUnsafeMutableBufferPointer { tile in
          guard let source = source.baseAddress, let tile = tile.baseAddress else { return }
          for start in stride(from: 0, to: byteCount, by: Self.tileByteCount) {
            let count = min(Self.tileByteCount, byteCount - start)
            unsafe ck_copy(source + offset + start, count, tile)
          }
        }
      }
    }
  }

  /// All that is timed, in the order in which it is told.
  var kernels: [Kernel] {
    var kernels = [
      decoding(.f8E4M3, "FP8 to F32"), decoding(.bf16, "BF16 to F32"),
      decoding(.f16, "F16 to F32"), checksum, dequantizing(.int4G64), dequantizing(.mxfp4),
      dequantizing(.fp8E4M3Channel), measuring,
    ]
    let schemes = Scheme.allCases.filter { $0.format != nil }
    for scheme in schemes {
      kernels.append(quantizing(scheme, .absmax, isMeasured: false))
      kernels.append(quantizing(scheme, .absmax))
    }
    for scheme in schemes { kernels.append(quantizing(scheme, .full)) }
    return kernels
  }

  private func decoding(_ dtype: DType, _ name: String) -> Kernel {
    let tile = Tile()
    let size = dtype.bitsPerElement / 8
    let piece = tile.values.count * size
    return Kernel(name: name, weightByteCount: Double(size), pieceByteCount: piece) { offset in
      var values = tile.takeValues()
      var span = values.mutableSpan
      ElementConversion.decode(
        bytes.span.extracting(offset..<offset + piece), as: dtype, into: &span)
      tile.values = values
    }
  }

  private var checksum: Kernel {
    let tile = Tile()
    let piece = Self.tileByteCount
    return Kernel(name: "checksum", weightByteCount: nil, pieceByteCount: piece) { offset in
      let source = bytes.rawSpan.extracting(offset..<offset + piece)
      tile.checksum ^= Checksum.of(source)
    }
  }

  private func dequantizing(_ scheme: Scheme) -> Kernel {
    guard let format = scheme.format else { preconditionFailure("\(scheme) has no codes") }
    let tile = Tile()
    let rows = tile.values.count / Self.columns
    let layout = QuantizedLayout(format: format, rows: rows, columns: Self.columns)
    let piece = layout.codes.count
    let dequantizer = Dequantizer(format: format, columns: Self.columns, globalScale: 1)
    for index in tile.scales.indices { tile.scales[index] = 0x3C }
    return Kernel(
      name: "dequantize \(scheme.rawValue)",
      weightByteCount: Double(format.code.bitsPerCode) / 8, pieceByteCount: piece
    ) { offset in
      var values = tile.takeValues()
      var span = values.mutableSpan
      dequantizer.dequantize(
        codes: bytes.span.extracting(offset..<offset + piece),
        scales: tile.scales.span.extracting(first: layout.scales.count),
        zeroPoints: tile.zeroPoints.span.extracting(first: layout.zeroPoints.count),
        rows: rows, into: &span)
      tile.values = values
    }
  }

  private var measuring: Kernel {
    let tile = Tile()
    let approximation = [Float](repeating: 0.01, count: tile.values.count)
    let piece = Self.tileByteCount
    return Kernel(name: "measure errors", weightByteCount: 4, pieceByteCount: piece) { offset in
      tile.statistics.add(
        reference: values.span.extracting(offset / 4..<(offset + piece) / 4),
        approximation: approximation.span, columns: Self.columns)
    }
  }

  private func quantizing(
    _ scheme: Scheme, _ search: ScaleSearch, isMeasured: Bool = true
  ) -> Kernel {
    guard let format = scheme.format else { preconditionFailure("\(scheme) has no codes") }
    let tile = Tile()
    // As many rows as make a tile, or a row of blocks.
    let rows = max(Self.tileByteCount / 4 / Self.columns, format.tileRowMultiple)
    let piece = rows * Self.columns * 4
    let layout = QuantizedLayout(format: format, rows: rows, columns: Self.columns)
    if tile.bytes.count < layout.codes.count {
      tile.bytes = [UInt8](repeating: 0, count: layout.codes.count)
    }
    let quantizer = Quantizer(
      format: format, columns: Self.columns, search: search,
      summary: TensorSummary(
        of: values.span.extracting(first: 128 * Self.columns), rows: 128, columns: Self.columns,
        kind: format.neededSummary))
    var kernel = Kernel(
      name: "\(search.rawValue) \(scheme.rawValue)" + (isMeasured ? ", measured" : ""),
      weightByteCount: 4, pieceByteCount: piece
    ) { offset in
      let source = values.span.extracting(offset / 4..<(offset + piece) / 4)
      var (tileCodes, tileScales, tileZeroPoints) = tile.takePlanes()
      var codeSpan = tileCodes.mutableSpan
      var codes = codeSpan.slice(0..<layout.codes.count)
      var scaleSpan = tileScales.mutableSpan
      var scales = scaleSpan.slice(0..<layout.scales.count)
      var zeroPointSpan = tileZeroPoints.mutableSpan
      var zeroPoints = zeroPointSpan.slice(0..<layout.zeroPoints.count)
      if isMeasured {
        var delivered = MutableSpan<Float>()
        quantizer.quantize(
          source, rows: rows, codes: &codes, scales: &scales, zeroPoints: &zeroPoints,
          delivered: &delivered, measuring: &tile.statistics)
      } else {
        quantizer.quantize(
          source, rows: rows, codes: &codes, scales: &scales, zeroPoints: &zeroPoints)
      }
      tile.bytes = tileCodes
      tile.scales = tileScales
      tile.zeroPoints = tileZeroPoints
    }
    kernel.longestRun = 6_000_000
    return kernel
  }
}
