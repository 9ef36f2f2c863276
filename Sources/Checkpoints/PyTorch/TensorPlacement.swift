import SystemPackage
import Tensors

/// Where a storage's bytes are: in the file, or within a deflated entry.
struct StorageExtent {
  let range: Range<Int>
  let deflated: (archive: ZipArchive, entry: ZipEntry)?
}

/// Finds the bytes of tensors in their storages, checked to be inside.
struct TensorPlacement {
  let path: FilePath
  let fileIndex: Int
  private(set) var tensors: [TensorRecord] = []
  private(set) var scattered: [String: ScatteredTensor] = [:]

  init(path: FilePath, fileIndex: Int) {
    self.path = path
    self.fileIndex = fileIndex
  }

  mutating func place(
    _ name: String, _ tensor: PickleTensor, in storage: PickleStorage,
    extent find: (String) -> StorageExtent?
  ) throws(CheckpointsError) {
    func problem(_ problem: PyTorchProblem) -> CheckpointsError {
      .pytorch(file: path, problem)
    }
    let key = storage.key
    guard let extent = find(key) else {
      throw problem(.missingStorage(tensor: name, key: key))
    }
    let (storageByteCount, overflow) = storage.elementCount.multipliedReportingOverflow(
      by: storage.elementByteCount)
    guard !overflow else { throw problem(.storageTooLarge(key: key)) }
    guard storageByteCount == extent.range.count else {
      throw problem(
        .wrongStorageSize(
          tensor: name, key: key, expected: storageByteCount, found: extent.range.count))
    }
    let size = tensor.dtype.bitsPerElement / 8
    guard let shape = Shape(tensor.dimensions), shape.byteCount(of: tensor.dtype) != nil,
      let last = Self.lastElement(of: tensor)
    else { throw problem(.shapeTooLarge(tensor: name)) }
    guard last <= storageByteCount / size else {
      throw problem(
        .outsideStorage(tensor: name, key: key, elementCount: storageByteCount / size))
    }
    // The strides of dimensions of 1 are never used, whatever they are.
    let contiguous = ScatteredTensor.contiguousStrides(shape)
    let strides = zip(zip(tensor.strides, contiguous), tensor.dimensions)
      .map { $1 == 1 ? $0.1 : $0.0 }
    let isContiguous = strides == contiguous || shape.elementCount == 0
    guard isContiguous || shape.elementCount <= last - tensor.offset else {
      throw problem(.repeatedElements(tensor: name, strides: tensor.strides))
    }
    let start = extent.range.lowerBound
    let span = start + tensor.offset * size..<start + last * size
    if !isContiguous || extent.deflated != nil {
      let spanned = extent.deflated?.entry.byteCount ?? span.count
      guard spanned <= ScatteredTensor.byteLimit else {
        throw problem(
          .tooLargeToRearrange(
            tensor: name, byteCount: spanned, limit: ScatteredTensor.byteLimit))
      }
      scattered[name] = ScatteredTensor(
        shape: shape, strides: isContiguous ? contiguous : strides, elementByteCount: size,
        span: span, deflated: extent.deflated)
    }
    tensors.append(
      TensorRecord(
        name: name, dtype: tensor.dtype, shape: shape, fileIndex: fileIndex,
        byteRange: extent.deflated?.entry.storedRange ?? span))
  }

  /// The position in the storage after the tensor's last element, in elements; its first one for an
  /// empty tensor; nil if that overflows.
  private static func lastElement(of tensor: PickleTensor) -> Int? {
    guard tensor.offset < Int.max / 16 else { return nil }
    if tensor.dimensions.contains(0) { return tensor.offset }
    var last = tensor.offset
    for (dimension, stride) in zip(tensor.dimensions, tensor.strides) where dimension > 1 {
      let (reach, overflow) = stride.multipliedReportingOverflow(by: dimension - 1)
      let (sum, sumOverflow) = last.addingReportingOverflow(reach)
      guard !overflow, !sumOverflow else { return nil }
      last = sum
    }
    return last < Int.max / 16 ? last + 1 : nil
  }
}
