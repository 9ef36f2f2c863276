import Bytes
import SystemPackage
import Tensors

/// The arrays of an `.npz` file, or the one of an `.npy` file, which is called `input_ids`: token
/// ids are what NumPy files are used for.
package struct NumPyFile: Sendable {
  static let loneName = "input_ids"

  /// The size of the arrays' headers, and of an archive's directory.
  private(set) var headerByteCount = 0
  /// XXH3-64 of those.
  private(set) var headerChecksum: UInt64 = 0
  package private(set) var tensors: [TensorRecord] = []
  private(set) var scattered: [String: ScatteredTensor] = [:]

  package init(
    source: ByteSource, isArchive: Bool, fileIndex: Int = 0
  ) throws(CheckpointsError) {
    var header = [UInt8]()
    var arrays: [(name: String, start: [UInt8], extent: StorageExtent)] = []
    if isArchive {
      let archive = try ZipArchive(source: source)
      header = archive.directory
      for entry in archive.entries where entry.name.hasSuffix(".npy") {
        let start =
          entry.isDeflated
          ? try archive.bytes(of: entry, limit: ScatteredTensor.byteLimit)
          : try source.read(Self.start(of: entry.storedRange))
        arrays.append(
          (
            String(entry.name.dropLast(4)), Array(start.prefix(NumPyHeader.byteLimit)),
            StorageExtent(
              range: entry.isDeflated ? 0..<entry.byteCount : entry.storedRange,
              deflated: entry.isDeflated ? (archive, entry) : nil)
          ))
      }
    } else {
      let range = 0..<source.byteCount
      let start = try source.read(Self.start(of: range))
      arrays.append((Self.loneName, start, StorageExtent(range: range, deflated: nil)))
    }
    for (name, start, extent) in arrays {
      header += start.prefix(
        try place(name, start, extent, path: source.path, fileIndex: fileIndex))
    }
    headerByteCount = header.count
    headerChecksum = Checksum.of(header.rawSpan)
  }

  /// The bytes that a header may have.
  private static func start(of range: Range<Int>) -> Range<Int> {
    range.lowerBound..<min(range.upperBound, range.lowerBound + NumPyHeader.byteLimit)
  }

  /// Adds an array and returns the size of its header.
  private mutating func place(
    _ name: String, _ start: [UInt8], _ extent: StorageExtent, path: FilePath, fileIndex: Int
  ) throws(CheckpointsError) -> Int {
    let header: NumPyHeader
    do throws(NumPyProblem) {
      header = try NumPyHeader(start)
    } catch {
      throw .numpy(file: path, array: name, error)
    }
    let span = extent.range.lowerBound + header.byteCount..<extent.range.upperBound
    let byteCount = header.shape.byteCount(of: header.dtype) ?? 0
    guard byteCount == span.count else {
      throw .numpy(
        file: path, array: name, .wrongByteCount(expected: byteCount, found: span.count))
    }
    let shape = header.shape
    let contiguous = ScatteredTensor.contiguousStrides(shape)
    let reversed = ScatteredTensor.contiguousStrides(Shape(shape.dimensions.reversed()) ?? shape)
    let isScattered =
      header.isFortranOrder && shape.dimensions.filter { $0 > 1 }.count > 1
      && shape.elementCount > 0
    if isScattered || extent.deflated != nil {
      let spanned = extent.deflated?.entry.byteCount ?? span.count
      guard spanned <= ScatteredTensor.byteLimit else {
        throw .numpy(
          file: path, array: name,
          .tooLarge(byteCount: spanned, limit: ScatteredTensor.byteLimit))
      }
      scattered[name] = ScatteredTensor(
        shape: shape, strides: isScattered ? reversed.reversed() : contiguous,
        elementByteCount: header.dtype.bitsPerElement / 8, span: span,
        deflated: extent.deflated)
    }
    tensors.append(
      TensorRecord(
        name: name, dtype: header.dtype, shape: shape, fileIndex: fileIndex,
        byteRange: extent.deflated?.entry.storedRange ?? span))
    return header.byteCount
  }
}
