import Bytes
import SystemPackage
import Tensors

/// One member of a safetensors header as it is written, with the offsets that errors name.
struct SafetensorsEntry {
  var name: String
  var byteOffset: Int
  var dtype: (text: String, byteOffset: Int)?
  var dimensions: (values: [Int], byteOffset: Int)?
  var dataOffsets: (values: [Int], byteOffset: Int)?
  var unknownField: (name: String, byteOffset: Int)?

  /// Reads the object after the name.
  init(name: String, _ scanner: inout JSONScanner) throws(JSONError) {
    self.name = name
    byteOffset = scanner.keyByteOffset
    var isFirst = true
    try scanner.enterObject()
    while let field = try scanner.nextKey(isFirst: isFirst) {
      isFirst = false
      let start = scanner.keyByteOffset
      let isRepeated: Bool
      switch field {
      case "dtype":
        isRepeated = dtype != nil
        dtype = (try scanner.string(expected: "a dtype in quotes"), start)
      case "shape":
        isRepeated = dimensions != nil
        dimensions = (try Self.integers(&scanner), start)
      case "data_offsets":
        isRepeated = dataOffsets != nil
        dataOffsets = (try Self.integers(&scanner), start)
      default:
        isRepeated = unknownField?.name == field
        if unknownField == nil { unknownField = (field, start) }
        try scanner.skipValue()
      }
      if isRepeated { throw scanner.duplicateKey(field, at: start) }
    }
  }

  private static func integers(_ scanner: inout JSONScanner) throws(JSONError) -> [Int] {
    var values: [Int] = []
    try scanner.enterArray()
    while try scanner.nextElement(isFirst: values.isEmpty) {
      values.append(try scanner.integer())
    }
    return values
  }

  /// The record that this entry describes, checked by itself.
  func record(
    file: FilePath, fileIndex: Int, dataRange: Range<Int>
  ) throws(CheckpointsError) -> TensorRecord {
    if let unknownField {
      throw .unknownField(
        file: file, tensor: name, field: unknownField.name, byteOffset: unknownField.byteOffset)
    }
    guard let dtypeField = self.dtype else { throw missing("dtype", file) }
    guard let dimensions else { throw missing("shape", file) }
    guard let dataOffsets else { throw missing("data_offsets", file) }
    guard let dtype = DType(rawValue: dtypeField.text) else {
      throw .unknownDType(
        file: file, tensor: name, dtype: dtypeField.text, byteOffset: dtypeField.byteOffset)
    }
    if dimensions.values.contains(where: { $0 < 0 }) {
      throw .negativeDimension(file: file, tensor: name, byteOffset: dimensions.byteOffset)
    }
    guard let shape = Shape(dimensions.values),
      !shape.elementCount.multipliedReportingOverflow(by: dtype.bitsPerElement).overflow
    else {
      throw .shapeTooLarge(file: file, tensor: name, byteOffset: dimensions.byteOffset)
    }
    guard let byteCount = shape.byteCount(of: dtype) else {
      throw .partialByte(file: file, tensor: name, dtype: dtype, shape: shape)
    }
    let offsets = dataOffsets.values
    guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= 0 else {
      throw .notTwoOffsets(file: file, tensor: name, byteOffset: dataOffsets.byteOffset)
    }
    guard offsets[0] <= offsets[1] else {
      throw .reversedOffsets(
        file: file, tensor: name, begin: offsets[0], end: offsets[1],
        byteOffset: dataOffsets.byteOffset)
    }
    guard offsets[1] <= dataRange.count else {
      throw .offsetsPastEnd(
        file: file, tensor: name, end: offsets[1], dataByteCount: dataRange.count)
    }
    guard offsets[1] - offsets[0] == byteCount else {
      throw .wrongByteCount(
        file: file, tensor: name, dtype: dtype, shape: shape, expected: byteCount,
        found: offsets[1] - offsets[0])
    }
    return TensorRecord(
      name: name, dtype: dtype, shape: shape, fileIndex: fileIndex,
      byteRange: dataRange.lowerBound + offsets[0]..<dataRange.lowerBound + offsets[1])
  }

  private func missing(_ field: String, _ file: FilePath) -> CheckpointsError {
    .missingField(file: file, tensor: name, field: field, byteOffset: byteOffset)
  }
}
