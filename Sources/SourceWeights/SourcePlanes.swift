import Bytes
import Checkpoints
import Tensors

/// What decodes the codes of a weight, as its format holds it.
struct SourcePlanes: Sendable {
  /// Row after row of blocks.
  var scales: [UInt8] = []
  /// Two to a byte, row after row of blocks.
  var zeroPoints: [UInt8] = []
  var globalScale: Float?
  /// Blocks whose scale is zero, in rising order: their codes count as zero.
  var zeroBlocks: [Int] = []
}

extension Checkpoint {
  /// All bytes of a companion.
  func companionBytes(_ record: TensorRecord) throws(SourceWeightsError) -> [UInt8] {
    do throws(CheckpointsError) {
      return try bytes(of: record)
    } catch {
      throw .checkpoint(error)
    }
  }

  /// The numbers of a companion that holds scales, each checked to be finite and above zero.
  /// - Parameter allowsZero: whether zero is let through: E4M3 underflows to it.
  func scales(
    _ record: TensorRecord, allowsZero: Bool = false
  ) throws(SourceWeightsError) -> (bytes: [UInt8], values: [Float]) {
    let bytes = try companionBytes(record)
    var values = [Float](repeating: 0, count: record.shape.elementCount)
    var span = values.mutableSpan
    ElementConversion.decode(bytes.span, as: record.dtype.scaleMeaning, into: &span)
    for (index, value) in values.enumerated()
    where !(value > 0 && value.isFinite) && !(allowsZero && value == 0) {
      throw .invalidScale(tensor: record.name, index: index, value: value)
    }
    return (bytes, values)
  }
}

extension RowCodes {
  /// The planes beside the codes.
  func planes(_ checkpoint: Checkpoint) throws(SourceWeightsError) -> SourcePlanes {
    var planes = SourcePlanes()
    let allowsZero = scales.dtype == .f8E4M3
    let (bytes, values) = try checkpoint.scales(scales, allowsZero: allowsZero)
    planes.scales = bytes
    if allowsZero {
      planes.zeroBlocks = values.indices.filter { values[$0] == 0 }
      // E4M3's code of 1. No format holds a scale of zero.
      for block in planes.zeroBlocks { planes.scales[block] = 0x38 }
    }
    var floats = values
    if let globalScale {
      let global = try checkpoint.scales(globalScale).values[0]
      if dividesByGlobalScale {
        for index in floats.indices {
          floats[index] = floats[index] == 0 ? 1 : floats[index] / global
          guard floats[index] > 0, floats[index].isFinite else {
            throw .invalidScale(tensor: scales.name, index: index, value: floats[index])
          }
        }
      } else {
        planes.globalScale = global
        for index in floats.indices where !(floats[index] * global).isFinite {
          throw .invalidScale(tensor: scales.name, index: index, value: floats[index] * global)
        }
      }
    }
    if dividesByGlobalScale {
      planes.scales = [UInt8](repeating: 0, count: 4 * floats.count)
      var span = planes.scales.mutableSpan
      ElementConversion.encodeF32(floats.span, into: &span)
    }
    return planes
  }
}
