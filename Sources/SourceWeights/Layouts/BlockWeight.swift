import Checkpoints
import Quantization
import Tensors

extension TensorRecord {
  /// The weight whose values lie in blocks of a GGUF file: scales and codes of a few neighbours
  /// together, so that no other tensor is needed.
  func weight(blocks: BlockFormat) -> SourceWeight {
    SourceWeight(
      name: name, shape: valueShape,
      encoding: blocks.held.map { .quantized($0) } ?? .plain(.f32), layout: .blocks(blocks),
      layoutName: "GGUF \(blocks.name)", primary: self, companions: [])
  }
}

extension BlockFormat {
  /// The format that holds such codes and scales without loss; nil where none does: of formats with
  /// minima, with scales of scales, or with grids.
  ///
  /// Scales of Q4_0, Q5_0 and TQ may be negative, where a format's are not: their codes are
  /// negated, and those of Q4_0 then need more than four bits.
  var held: QuantizationFormat? {
    switch self {
    case .q4_0, .q5_0, .q8_0, .iq4NL:
      QuantizationFormat(code: .int8, blockRows: 1, blockColumns: 32, scale: .f16)
    case .tq1_0, .tq2_0:
      QuantizationFormat(code: .int4, blockRows: 1, blockColumns: 256, scale: .f16)
    case .mxfp4: QuantizationFormat(code: .e2m1, blockRows: 1, blockColumns: 32, scale: .f8E8M0)
    case .nvfp4: QuantizationFormat(code: .e2m1, blockRows: 1, blockColumns: 16, scale: .f8E4M3)
    default: nil
    }
  }

  /// Where in a block the Float16 scale lies, of those whose format is held with one.
  fileprivate var scaleByteOffset: Int {
    switch self {
    case .tq1_0: 52
    case .tq2_0: 64
    default: 0
    }
  }
}

/// Takes blocks apart into the codes and scales of the format that holds them.
struct BlockRepacker {
  let blocks: BlockFormat
  let format: QuantizationFormat
  /// What errors name.
  let tensor: String

  private enum Scale {
    case zero
    case number(bytes: [UInt8], isNegative: Bool)
  }

  /// The scales of one block as the format holds them, positive; nil stands for zero.
  /// - Parameter firstBlock: the number of the first block in its tensor.
  private func scales(
    _ bytes: Span<UInt8>, of block: Int, firstBlock: Int
  ) throws(SourceWeightsError) -> [Scale] {
    let start = block * blocks.bytesPerBlock
    func invalid(_ value: Float) -> SourceWeightsError {
      .invalidScale(tensor: tensor, index: firstBlock + block, value: value)
    }
    switch blocks {
    case .mxfp4:
      // 255 would stand for 2^128, and is NaN where E8M0 is read by its definition.
      guard bytes[start] != 0xFF else { throw invalid(.infinity) }
      return [.number(bytes: [bytes[start]], isNegative: false)]
    case .nvfp4:
      var scales: [Scale] = []
      for index in start..<start + 4 {
        // The sign's bit is not looked at, and 0x7F counts as zero.
        let code = bytes[index] & 0x7F
        guard bytes[index] != 0xFF else { throw invalid(480) }
        scales.append(
          code == 0 || code == 0x7F ? .zero : .number(bytes: [code], isNegative: false))
      }
      return scales
    default:
      let offset = start + blocks.scaleByteOffset
      let bits = UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8
      let value = Float(Float16(bitPattern: bits))
      guard value.isFinite else { throw invalid(value) }
      if value == 0 { return [.zero] }
      return [
        .number(
          bytes: [UInt8(truncatingIfNeeded: bits), UInt8(bits >> 8) & 0x7F], isNegative: value < 0)
      ]
    }
  }

  /// The scales of blocks; a scale of zero is held as one, its codes as zero.
  func scales(_ bytes: Span<UInt8>, firstBlock: Int) throws(SourceWeightsError) -> [UInt8] {
    var plane: [UInt8] = []
    for block in 0..<bytes.count / blocks.bytesPerBlock {
      for scale in try scales(bytes, of: block, firstBlock: firstBlock) {
        switch scale {
        case .number(let bytes, _): plane += bytes
        case .zero: plane += format.scale == .f16 ? [0, 0x3C] : [0x38]
        }
      }
    }
    return plane
  }

  /// The codes of blocks as the format holds them.
  /// - Parameter values: what the blocks decode to.
  func codes(
    _ bytes: Span<UInt8>, values: Span<Float>, firstBlock: Int
  ) throws(SourceWeightsError) -> [UInt8] {
    let size = blocks.elementsPerBlock
    var codes = [UInt8](repeating: 0, count: format.code.byteCount(of: values.count))
    for block in 0..<bytes.count / blocks.bytesPerBlock {
      let scales = try scales(bytes, of: block, firstBlock: firstBlock)
      let groupSize = size / scales.count
      for (group, scale) in scales.enumerated() {
        guard case .number(let scaleBytes, let isNegative) = scale else { continue }
        let first = block * size + group * groupSize
        let factor = decode(scaleBytes)
        for element in first..<first + groupSize {
          // The value is the product, exactly, of a small number and the scale.
          let number = values[element] / factor
          let code: UInt8
          switch format.code {
          case .int8:
            guard number <= 127 else {
              throw .invalidScale(
                tensor: tensor, index: firstBlock + block, value: isNegative ? -factor : factor)
            }
            code = UInt8(bitPattern: Int8(number))
          case .int4: code = UInt8(Int(number) + 8)
          default: code = number == 0 ? 0 : Self.e2m1(number)
          }
          if format.code.bitsPerCode == 8 {
            codes[element] = code
          } else {
            codes[element / 2] |= code << UInt8(4 * (element % 2))
          }
        }
      }
      // A code of zero is 8 where codes are stored with 8 added.
      if format.code == .int4, case .zero = scales[0] {
        for index in block * size / 2..<(block + 1) * size / 2 { codes[index] = 0x88 }
      }
    }
    return codes
  }

  private func decode(_ scale: [UInt8]) -> Float {
    var value: [Float] = [0]
    var span = value.mutableSpan
    ElementConversion.decode(scale.span, as: format.scale, into: &span)
    return value[0]
  }

  /// The code of a number that E2M1 holds.
  private static func e2m1(_ number: Float) -> UInt8 {
    let magnitudes: [Float] = [0, 0.5, 1, 1.5, 2, 3, 4, 6]
    let code = UInt8(magnitudes.firstIndex(of: number.magnitude) ?? 0)
    return number < 0 ? code | 8 : code
  }
}
