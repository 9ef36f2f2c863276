import Bytes
import Checkpoints
import Tensors

/// Looks up indices of two to a byte, the high nibble first. For one thread.
struct CodebookDecoder: Sendable {
  private let codebook: Codebook
  private let columns: Int
  private let table: [Float]
  private let scales: [Float]

  init(_ codebook: Codebook, weight: SourceWeight, checkpoint: Checkpoint)
    throws(SourceWeightsError)
  {
    self.codebook = codebook
    columns = weight.columns
    table = try checkpoint.finiteFloats(codebook.table)
    guard let nested = codebook.nested else {
      scales = try checkpoint.finiteFloats(codebook.scales)
      return
    }
    let nestedTable = try checkpoint.finiteFloats(nested.table)
    let nestedScales = try checkpoint.finiteFloats(nested.scales)
    scales = try checkpoint.companionBytes(codebook.scales).enumerated().map {
      nestedTable[Int($1)] * nestedScales[$0 / nested.blockSize] + nested.offset
    }
  }

  func decode(_ rows: Range<Int>, source: [UInt8], into values: inout MutableSpan<Float>) {
    let first = rows.lowerBound * columns
    for index in 0..<values.count {
      let element = first + index
      let byte = source[element / 2]
      let code = element % 2 == 0 ? byte >> 4 : byte & 15
      values[index] = table[Int(code)] * scales[element / codebook.blockSize]
    }
  }
}

extension Checkpoint {
  /// The numbers of a companion of Float32, all finite.
  fileprivate func finiteFloats(_ record: TensorRecord) throws(SourceWeightsError) -> [Float] {
    let values: [Float]
    do throws(CheckpointsError) {
      values = try floats(of: record)
    } catch {
      throw .checkpoint(error)
    }
    if let index = values.firstIndex(where: { !$0.isFinite }) {
      throw .invalidScale(tensor: record.name, index: index, value: values[index])
    }
    return values
  }
}
