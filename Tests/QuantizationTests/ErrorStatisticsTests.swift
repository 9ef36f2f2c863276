import CKernels
import Foundation
import Quantization
import Tensors
import Testing

/// Error statistics against a plain sum in Float64, and the twins bit for bit.
@Suite struct ErrorStatisticsTests {
  static func pairs(_ count: Int) -> (reference: [Float], approximation: [Float]) {
    var reference = normalValues(count, seed: 1)
    var approximation = zip(reference, normalValues(count, standardDeviation: 0.001, seed: 2))
      .map { $0 + $1 }
    for i in stride(from: 3, to: count, by: 17) { approximation[i] = 0 }
    for i in stride(from: 5, to: count, by: 29) { reference[i] = 0 }
    for i in stride(from: 7, to: count, by: 31) { reference[i] = .nan }
    for i in stride(from: 8, to: count, by: 37) { approximation[i] = -.infinity }
    for i in stride(from: 9, to: count, by: 41) { reference[i] = 0x1p-140 }
    return (reference, approximation)
  }

  @Test(arguments: KernelTwinTests.columnCounts + [4096])
  func plainSums(count: Int) {
    let (reference, approximation) = Self.pairs(count)
    var statistics = ErrorStatistics()
    statistics.add(
      reference: reference.span, approximation: approximation.span, columns: max(1, count))
    let finite = zip(reference, approximation).filter { $0.isFinite && $1.isFinite }
      .map { (Double($0), Double($1)) }
    let squares = finite.reduce(0) { $0 + $1.0 * $1.0 }
    let errors = finite.map { abs($0.0 - $0.1) }
    let squaredErrors = errors.reduce(0) { $0 + $1 * $1 }
    #expect(statistics.count == finite.count)
    #expect(statistics.nonFiniteCount == count - finite.count)
    #expect(statistics.zeroedCount == finite.filter { $0.0 != 0 && $0.1 == 0 }.count)
    // A difference and its square are rounded (three units of 2^-24), then added up in lanes of
    // eight, which are added in four steps.
    let largest = errors.max() ?? 0
    #expect(abs(statistics.maximumAbsoluteError - largest) <= largest * 0x1p-24)
    #expect(abs(statistics.sumOfSquares - squares) <= squares * 14 * 0x1p-24)
    #expect(abs(statistics.sumOfSquaredErrors - squaredErrors) <= squaredErrors * 14 * 0x1p-24)
  }

  /// What was kept goes on as if nothing had happened; what no sums can be is refused.
  @Test func stateIsKept() throws {
    let (reference, approximation) = Self.pairs(4096)
    var whole = ErrorStatistics()
    whole.add(reference: reference.span, approximation: approximation.span, columns: 512)
    var half = ErrorStatistics()
    half.add(
      reference: reference.span.extracting(first: 2048),
      approximation: approximation.span.extracting(first: 2048), columns: 512)
    half.clippedCount = 3
    #expect(half.state.count == ErrorStatistics.stateByteCount)
    var kept = try #require(ErrorStatistics(state: half.state, pairCount: 2048))
    #expect(kept.state == half.state && kept.clippedCount == 3)
    kept.add(
      reference: reference.span.extracting(last: 2048),
      approximation: approximation.span.extracting(last: 2048), columns: 512)
    kept.clippedCount = 0
    #expect(kept.state == whole.state)
    #expect(ErrorStatistics(state: half.state, pairCount: 2047) == nil)
    #expect(ErrorStatistics(state: Array(half.state.dropLast()), pairCount: 2048) == nil)
    let all = [UInt8](repeating: 255, count: ErrorStatistics.stateByteCount)
    #expect(ErrorStatistics(state: all, pairCount: .max) == nil)
  }

  /// Numbers that Float32 can square, and such that it cannot.
  @Test(arguments: KernelTwinTests.columnCounts, [0, 0x1p-140, 0x1p-70, 1, 0x1p70, 0x1p120])
  func twins(columns: Int, scale: Float) {
    let (reference, approximation) = Self.pairs(3 * columns)
    let (x, y) = (reference.map { $0 * scale }, approximation.map { $0 * scale })
    let sums = unsafe Twins.addErrors.map { add in
      var sums = ck_error_sums()
      unsafe add(x, y, 3, columns, &sums)
      return Self.bits(sums)
    }
    for other in sums.dropFirst() { #expect(other == sums[0]) }
  }

  static func bits(_ sums: ck_error_sums) -> [UInt64] {
    [
      sums.squares_high.bitPattern, sums.squares_low.bitPattern,
      sums.squared_errors_high.bitPattern, sums.squared_errors_low.bitPattern,
      sums.maximum_absolute_error.bitPattern, sums.count, sums.zeroed_count,
      sums.nonfinite_count, sums.clipped_count,
    ]
  }

  /// Squares that Float32 cannot hold, beside such that it can.
  @Test(arguments: [0x1p-140, 0x1p-75, 0x1p-52, 0x1p55, 0x1p70, 0x1p120] as [Float])
  func wideSums(scale: Float) {
    let reference: [Float] = [3, 4, 0, 1].map { $0 * scale }
    let approximation: [Float] = [3, 4.5, 0, 0].map { $0 * scale }
    var statistics = ErrorStatistics()
    statistics.add(reference: reference.span, approximation: approximation.span, columns: 4)
    #expect(statistics.sumOfSquares == 26 * Double(scale) * Double(scale))
    #expect(statistics.sumOfSquaredErrors == 1.25 * Double(scale) * Double(scale))
    #expect(statistics.maximumAbsoluteError == Double(scale))
    #expect(statistics.zeroedCount == 1)
  }

  /// Neither the order of the rows nor their division shows.
  @Test(arguments: [1, 70, 128, 200])
  func order(columns: Int) {
    let (reference, approximation) = Self.pairs(columns * 40)
    func sum(_ parts: [Range<Int>]) -> ErrorStatistics {
      var sum = ErrorStatistics()
      for part in parts {
        let values = part.lowerBound * columns..<part.upperBound * columns
        var statistics = ErrorStatistics()
        statistics.add(
          reference: reference.span.extracting(values),
          approximation: approximation.span.extracting(values), columns: columns)
        sum.merge(statistics)
      }
      return sum
    }
    let whole = sum([0..<40])
    for parts in [
      [0..<1, 1..<40], [20..<40, 0..<20], (0..<40).reversed().map { $0..<$0 + 1 },
    ] {
      let other = sum(parts)
      #expect(other.sumOfSquares == whole.sumOfSquares)
      #expect(other.sumOfSquaredErrors == whole.sumOfSquaredErrors)
      #expect(other.relativeError == whole.relativeError)
      #expect(other.count == whole.count)
    }
  }

  @Test func metrics() {
    var statistics = ErrorStatistics()
    #expect(statistics.relativeError == 0)
    #expect(statistics.signalToQuantizationNoise == .infinity)
    let reference: [Float] = [3, 4, 0]
    let approximation: [Float] = [3, 4.5, 0]
    statistics.add(reference: reference.span, approximation: approximation.span, columns: 3)
    #expect(statistics.relativeError == 0.1)
    #expect(abs(statistics.signalToQuantizationNoise - 20) < 1e-12)
    #expect(statistics.maximumAbsoluteError == 0.5)
  }

  /// Bits of a ratio Σx² / Σ(x − x̂)² and of its decibels, computed in Python by the rules of
  /// formats/container.md; neighbours of numbers among them.
  static let decibels: [(ratio: UInt64, decibels: UInt64)] = [
    (0x3FF0000000000000, 0x0000000000000000),
    (0x3FF0000000000001, 0x3CD15F2CED384F29),
    (0x4000000000000000, 0x4008151824C7587F),
    (0x4024000000000000, 0x4024000000000000),
    (0x4059000000000000, 0x4034000000000000),
    (0x4059000000000001, 0x4034000000000000),
    (0x4058FFFFFFFFFFFF, 0x4034000000000000),
    (0x3FF6A09E667F3BCD, 0x3FF8151824C75880),
    (0x3FF6A09E667F3BCE, 0x3FF8151824C75884),
    (0x405EDD2F1A9FBE77, 0x4034EA456FBBC32B),
    (0x405EDD2F1A9FBE78, 0x4034EA456FBBC32B),
    (0x3F50624DD2F1A9FC, 0xC03E000000000000),
    (0x2D404BD984990E6F, 0xC08C200000000000),
    (0x529F6B0F092959C7, 0x408C200000000000),
    (0x44DFE185CA57C517, 0x406DB98531A4F695),
    (0x406F400000000000, 0x4037FAB9F6CE29E0),
  ]

  @Test(arguments: decibels)
  func decibelsAreTheSameEverywhere(ratio: UInt64, decibels: UInt64) {
    let ratio = Double(bitPattern: ratio)
    #expect((10 * ratio.decimalLogarithm).bitPattern == decibels)
    #expect(abs(ratio.decimalLogarithm - log10(ratio)) <= 4 * max(log10(ratio).ulp, 0x1p-54))
  }

  @Test func decibelsOfNothing() {
    #expect((0.0).decimalLogarithm == -.infinity)
    #expect(Double.infinity.decimalLogarithm == .infinity)
    #expect(Double.nan.decimalLogarithm.isNaN)
    #expect(Double.leastNonzeroMagnitude.decimalLogarithm == log10(.leastNonzeroMagnitude))
  }

  @Test func clipped() {
    let format = Scheme.int4G32.format!
    // Scales 1 and −2: from −8.5 to 7.5, and from −15 to 17.
    let scales: [UInt8] = [0x80, 0x3F, 0x00, 0xC0]
    var values = [Float](repeating: 0, count: 64)
    values.replaceSubrange(0..<4, with: [-8.4, -8.6, 7.4, 7.6])
    values.replaceSubrange(32..<36, with: [-14.9, -15.1, 16.9, 17.1])
    let dequantizer = Dequantizer(format: format, columns: 64)
    #expect(
      dequantizer.clippedCount(
        of: values.span, scales: scales.span, zeroPoints: [UInt8]().span, rows: 1)
        == 4)
  }

  /// One block that is longer than the counter's inner loop.
  @Test(arguments: [65_535, 65_536, 65_537, 200_003])
  func clippedInLongRows(columns: Int) {
    let dequantizer = Dequantizer(format: Scheme.int8Channel.format!, columns: columns)
    let scale: [UInt8] = [0, 0, 0x80, 0x3F]
    var values = [Float](repeating: 127, count: columns)
    values[0] = 129
    values[columns - 1] = -129
    for (values, expected) in [(values, 2), ([Float](repeating: 500, count: columns), columns)] {
      let count = dequantizer.clippedCount(
        of: values.span, scales: scale.span, zeroPoints: [UInt8]().span, rows: 1)
      #expect(count == expected)
    }
  }

  /// Formats that a damaged file might state.
  @Test func undecodableFormats() {
    for scheme in Scheme.allCases {
      if let format = scheme.format { #expect(Dequantizer.canDecode(format)) }
    }
    for format in [
      QuantizationFormat(code: .e4m3, blockRows: 0, blockColumns: 1, scale: .f32),
      QuantizationFormat(code: .e4m3, blockRows: 1, blockColumns: -1, scale: .f32),
      QuantizationFormat(code: .e4m3, blockRows: 1, blockColumns: 1, scale: .i64),
      QuantizationFormat(code: .uint4, blockRows: 1, blockColumns: 32, scale: .bf16),
    ] {
      #expect(!Dequantizer.canDecode(format))
    }
  }
}
