import Bytes
import Checkpoints
import Quantization
import Tensors

/// Takes packed integers apart. For one thread.
struct IntegerDecoder: Sendable {
  let packing: PackedIntegers
  private let rows: Int
  private let columns: Int
  private let groupCount: Int
  /// The scale of each row and group, row after row, as stored.
  let scaleBytes: [UInt8]
  private let scales: [Float]
  /// The zero point of each row and group, row after row; empty where all are the middle.
  private let zeroPoints: [UInt8]
  /// The group of each column; empty where groups are neighbours.
  private let groups: [Int]

  init(_ packing: PackedIntegers, weight: SourceWeight, checkpoint: Checkpoint)
    throws(SourceWeightsError)
  {
    self.packing = packing
    rows = weight.rows
    columns = weight.columns
    groupCount = blockCount(weight.columns, per: packing.groupSize)
    var (bytes, values) = try checkpoint.scales(packing.scales)
    if packing.order != .rows {
      let size = packing.scales.dtype.bitsPerElement / 8
      bytes = bytes.transposed(rows: groupCount, columns: rows, elementByteCount: size)
      values = values.transposed(rows: groupCount, columns: rows)
    }
    scaleBytes = bytes
    scales = values
    zeroPoints = try packing.readZeroPoints(
      rows: rows, groupCount: groupCount, checkpoint: checkpoint)
    groups = try packing.readGroups(
      columns: columns, groupCount: groupCount, checkpoint: checkpoint)
  }

  /// The zero points as a format holds them: two to a byte, each row on whole bytes.
  var zeroPointPlane: [UInt8] {
    let rowByteCount = (groupCount + 1) / 2
    var plane = [UInt8](repeating: 0, count: rows * rowByteCount)
    for row in 0..<rows {
      for group in 0..<groupCount {
        plane[row * rowByteCount + group / 2] |=
          zeroPoints[row * groupCount + group] << (group % 2 == 0 ? 0 : 4)
      }
    }
    return plane
  }

  /// The codes of some rows, as a format holds them.
  /// - Parameter source: the packed bytes: of these rows if they run along rows, else of the whole.
  func codes(
    _ rows: Range<Int>, source: [UInt8], code: CodeFormat
  ) -> [UInt8] {
    let raw = rawCodes(rows, source: source)
    switch code {
    case .int4, .uint4:
      let rowByteCount = (columns + 1) / 2
      var codes = [UInt8](repeating: 0, count: rows.count * rowByteCount)
      for row in 0..<rows.count {
        for column in 0..<columns {
          codes[row * rowByteCount + column / 2] |=
            raw[row * columns + column] << (column % 2 == 0 ? 0 : 4)
        }
      }
      return codes
    default:
      var codes = raw
      for row in 0..<rows.count {
        for column in 0..<columns {
          let index = row * columns + column
          codes[index] = raw[index] &- zeroPoint(rows.lowerBound + row, column / packing.groupSize)
        }
      }
      return codes
    }
  }

  /// The weights of some rows: `(code − zeroPoint) × scale`, rounded once.
  func decode(_ rows: Range<Int>, source: [UInt8], into values: inout MutableSpan<Float>) {
    let raw = rawCodes(rows, source: source)
    for row in 0..<rows.count {
      for column in 0..<columns {
        let group = groups.isEmpty ? column / packing.groupSize : groups[column]
        let zeroPoint = zeroPoint(rows.lowerBound + row, group)
        values[row * columns + column] =
          Float(Int(raw[row * columns + column]) - Int(zeroPoint))
          * scales[(rows.lowerBound + row) * groupCount + group]
      }
    }
  }

  private func zeroPoint(_ row: Int, _ group: Int) -> UInt8 {
    zeroPoints.isEmpty ? packing.middle : zeroPoints[row * groupCount + group]
  }

  /// The codes of some rows, one to a byte, 0 and up.
  private func rawCodes(_ rows: Range<Int>, source: [UInt8]) -> [UInt8] {
    var raw = [UInt8](repeating: 0, count: rows.count * columns)
    switch packing.order {
    case .rows:
      let rowByteCount = rows.isEmpty ? 0 : source.count / rows.count
      for row in 0..<rows.count {
        let stream = BitStream(
          bytes: source, start: row * rowByteCount, stride: 4, bits: packing.bits,
          codesPerWord: packing.codesPerWord)
        for column in 0..<columns { raw[row * columns + column] = stream[column] }
      }
    case .inputs:
      for row in 0..<rows.count {
        let stream = BitStream(
          bytes: source, start: 4 * (rows.lowerBound + row), stride: 4 * self.rows,
          bits: packing.bits, codesPerWord: packing.codesPerWord)
        for column in 0..<columns { raw[row * columns + column] = stream[column] }
      }
    case .interleavedOutputs:
      let rowByteCount = self.rows / 2
      for row in 0..<rows.count {
        let output = rows.lowerBound + row
        let (byte, shift) = InterleavedNibbles.place(of: output)
        for column in 0..<columns {
          raw[row * columns + column] = source[column * rowByteCount + byte] >> shift & 15
        }
      }
    }
    return raw
  }
}

/// Where AWQ keeps the outputs: eight to a word, the even ones before the odd.
enum InterleavedNibbles {
  private static let nibbles = [0, 4, 1, 5, 2, 6, 3, 7]

  /// The byte in a row of words, and the shift within the byte.
  static func place(of output: Int) -> (byte: Int, shift: UInt8) {
    let nibble = nibbles[output % 8]
    return (output / 8 * 4 + nibble / 2, nibble % 2 == 0 ? 0 : 4)
  }
}

/// Codes of up to 8 bits in words of 32, the lowest bits first.
struct BitStream {
  let bytes: [UInt8]
  /// The first word's first byte, and the distance to the next word.
  let start: Int
  let stride: Int
  let bits: Int
  /// Nil for a stream without gaps.
  let codesPerWord: Int?

  subscript(index: Int) -> UInt8 {
    let bit = codesPerWord.map { index / $0 * 32 + index % $0 * bits } ?? index * bits
    let mask = UInt16(1) << UInt16(bits) - 1
    var value = UInt16(byte(bit / 8)) >> UInt16(bit % 8)
    if bit % 8 + bits > 8 { value |= UInt16(byte(bit / 8 + 1)) << UInt16(8 - bit % 8) }
    return UInt8(value & mask)
  }

  /// A byte of the stream of words.
  private func byte(_ index: Int) -> UInt8 { bytes[start + index / 4 * stride + index % 4] }
}

extension PackedIntegers {
  /// The zero points, row after row of groups; empty where all are the middle.
  fileprivate func readZeroPoints(
    rows: Int, groupCount: Int, checkpoint: Checkpoint
  ) throws(SourceWeightsError) -> [UInt8] {
    guard let record = zeroPoints else { return [] }
    var bytes = try checkpoint.companionBytes(record)
    if storesZeroPointsLessOne, bits != 3 { bytes.addOneToFields(bits: bits) }
    var zeroPoints = [UInt8](repeating: 0, count: rows * groupCount)
    let rowByteCount = groupCount == 0 ? 0 : bytes.count / groupCount
    for group in 0..<groupCount {
      let stream =
        order == .rows
        ? BitStream(
          bytes: bytes, start: 4 * group, stride: 4 * groupCount, bits: bits,
          codesPerWord: codesPerWord)
        : BitStream(
          bytes: bytes, start: group * rowByteCount, stride: 4, bits: bits,
          codesPerWord: codesPerWord)
      for row in 0..<rows {
        var value = stream[row]
        if order == .interleavedOutputs {
          let (byte, shift) = InterleavedNibbles.place(of: row)
          value = bytes[group * rowByteCount + byte] >> shift & 15
        }
        if storesZeroPointsLessOne, bits == 3 { value = (value + 1) & 7 }
        if isSymmetric, value != middle {
          throw .contradiction(
            tensor: record.name,
            reason: "a zero point is \(value), where symmetric weights have \(middle)")
        }
        zeroPoints[row * groupCount + group] = value
      }
    }
    return isSymmetric ? [] : zeroPoints
  }

  /// The group of each column; empty where groups are neighbours.
  fileprivate func readGroups(
    columns: Int, groupCount: Int, checkpoint: Checkpoint
  ) throws(SourceWeightsError) -> [Int] {
    guard let record = groupIndex else { return [] }
    let groups: [Int]
    do throws(CheckpointsError) {
      groups = try checkpoint.integers(of: record)
    } catch {
      throw .checkpoint(error)
    }
    for (column, group) in groups.enumerated() {
      guard 0..<groupCount ~= group else {
        throw .invalidCompanion(
          tensor: record.name, reason: "input \(column) has the group \(group) of \(groupCount)")
      }
      guard isReordered || group == column / groupSize else {
        throw .contradiction(
          tensor: record.name,
          reason: "input \(column) has the group \(group), which only desc_act allows")
      }
    }
    return isReordered ? groups : []
  }
}

extension [UInt8] {
  /// Adds one to each field of each word of 32 bits, as one sum: what borrowed gives back.
  fileprivate mutating func addOneToFields(bits: Int) {
    var one: UInt32 = 0
    for shift in stride(from: 0, to: 32, by: bits) { one |= 1 << UInt32(shift) }
    for start in stride(from: 0, to: count - 3, by: 4) {
      let word =
        (0..<4).reduce(UInt32(0)) { $0 | UInt32(self[start + $1]) << UInt32(8 * $1) } &+ one
      for byte in 0..<4 { self[start + byte] = UInt8(truncatingIfNeeded: word >> UInt32(8 * byte)) }
    }
  }

  /// The elements with rows and columns exchanged.
  fileprivate func transposed(rows: Int, columns: Int, elementByteCount size: Int) -> [UInt8] {
    var result = self
    for row in 0..<rows {
      for column in 0..<columns {
        for byte in 0..<size {
          result[(column * rows + row) * size + byte] = self[(row * columns + column) * size + byte]
        }
      }
    }
    return result
  }
}

extension [Float] {
  fileprivate func transposed(rows: Int, columns: Int) -> [Float] {
    var result = self
    for row in 0..<rows {
      for column in 0..<columns { result[column * rows + row] = self[row * columns + column] }
    }
    return result
  }
}
