import Tensors

/// A value of a pickle. What holds other values is a position in the machine's tables, so that no
/// value, however deeply nested or knotted, is walked by copying or freeing it.
enum PickleValue: Sendable, Hashable {
  case none
  case boolean(Bool)
  case integer(Int)
  case number
  case text(String)
  case bytes
  case tuple(Int)
  case list(Int)
  case dictionary(Int)
  case global(PickleGlobal)
  case storage(Int)
  case tensor(Int)
  case device
}

/// The storage of tensors, as a pickle refers to it.
struct PickleStorage: Sendable, Hashable {
  /// Nil for an untyped storage, whose elements are bytes.
  let dtype: DType?
  /// Names its data within the file.
  let key: String
  let elementCount: Int

  /// The size of one of `elementCount`.
  var elementByteCount: Int { (dtype?.bitsPerElement ?? 8) / 8 }
}

/// A tensor, as a pickle describes it. Nothing here is checked yet, save that no number is
/// negative.
struct PickleTensor: Sendable, Hashable {
  let storage: Int
  let dtype: DType
  /// In elements, as are the strides.
  let offset: Int
  let dimensions: [Int]
  let strides: [Int]
}

/// The only classes, functions and constants that a pickle may name. None is ever called: the
/// machine knows what torch makes of each.
enum PickleGlobal: Sendable, Hashable {
  case orderedDict
  case rebuildTensor, rebuildTensorV2, rebuildTensorV3
  case rebuildParameter, rebuildParameterWithState
  case size
  case device
  case storage(DType?)
  case dtype(DType)

  init?(module: String, name: String) {
    switch (module, name) {
    case ("collections", "OrderedDict"): self = .orderedDict
    case ("torch._utils", "_rebuild_tensor"): self = .rebuildTensor
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensorV2
    case ("torch._utils", "_rebuild_tensor_v3"): self = .rebuildTensorV3
    case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
    case ("torch._utils", "_rebuild_parameter_with_state"): self = .rebuildParameterWithState
    case ("torch", "Size"): self = .size
    case ("torch", "device"): self = .device
    case ("torch.storage", "UntypedStorage"), ("torch", "UntypedStorage"): self = .storage(nil)
    case ("torch", _):
      if let dtype = Self.storageDTypes[name] {
        self = .storage(dtype)
      } else if let dtype = Self.dtypes[name] {
        self = .dtype(dtype)
      } else {
        return nil
      }
    default: return nil
    }
  }

  private static let storageDTypes: [String: DType] = [
    "DoubleStorage": .f64, "FloatStorage": .f32, "HalfStorage": .f16, "BFloat16Storage": .bf16,
    "LongStorage": .i64, "IntStorage": .i32, "ShortStorage": .i16, "CharStorage": .i8,
    "ByteStorage": .u8, "BoolStorage": .bool, "ComplexFloatStorage": .c64,
  ]

  private static let dtypes: [String: DType] = [
    "float64": .f64, "float32": .f32, "float16": .f16, "bfloat16": .bf16, "int64": .i64,
    "int32": .i32, "int16": .i16, "int8": .i8, "uint8": .u8, "uint16": .u16, "uint32": .u32,
    "uint64": .u64, "bool": .bool, "complex64": .c64, "float8_e4m3fn": .f8E4M3,
    "float8_e5m2": .f8E5M2, "float8_e4m3fnuz": .f8E4M3FNUZ, "float8_e5m2fnuz": .f8E5M2FNUZ,
    "float8_e8m0fnu": .f8E8M0,
  ]

  /// The name as Python has it.
  var description: String {
    switch self {
    case .orderedDict: "collections.OrderedDict"
    case .rebuildTensor: "torch._utils._rebuild_tensor"
    case .rebuildTensorV2: "torch._utils._rebuild_tensor_v2"
    case .rebuildTensorV3: "torch._utils._rebuild_tensor_v3"
    case .rebuildParameter: "torch._utils._rebuild_parameter"
    case .rebuildParameterWithState: "torch._utils._rebuild_parameter_with_state"
    case .size: "torch.Size"
    case .device: "torch.device"
    case .storage(let dtype): "a torch storage of \(dtype?.rawValue ?? "bytes")"
    case .dtype(let dtype): "the torch dtype of \(dtype.rawValue)"
    }
  }
}
