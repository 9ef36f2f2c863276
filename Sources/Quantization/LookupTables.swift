import CKernels

/// The tables of levels of a tensor, and the scale of all.
public struct LookupTables: Sendable, Hashable {
  /// The levels, table after table, each as long as the code's number of levels.
  public let levels: [Int8]
  /// Multiplies all scales. A quantizer takes a power of two.
  public let globalScale: Float

  /// Tables that a file holds.
  public init(levels: [Int8], globalScale: Float) {
    self.levels = levels
    self.globalScale = globalScale
  }

  /// Learns tables from a sample, as formats/quantization.md tells.
  /// - Parameter importance: how much the errors of each of the tensor's columns count; all alike
  ///   if nil.
  /// - Precondition: `format` has tables.
  init(learnedFrom sample: TensorSample, format: QuantizationFormat, importance: [Float]?) {
    var kernel = ck_lut(format: format, columns: 0)
    let pieceCount = sample.starts.count
    let ofSample = importance.map { importance in
      sample.starts.flatMap { importance[$0..<$0 + sample.pieceColumns] }
    }
    unsafe sample.values.withUnsafeBufferPointer { values in
      unsafe ofSample.withUnsafeElements { ofSample in
        if let values = values.baseAddress {
          unsafe ck_lut_learn(&kernel, values, pieceCount, sample.pieceColumns, ofSample)
        } else {
          var zero: Float = 0
          unsafe ck_lut_learn(&kernel, &zero, 1, 1, nil)
        }
      }
    }
    let levelCount = Int(kernel.level_count)
    levels = unsafe withUnsafeBytes(of: kernel.levels) { bytes in
      (0..<format.tableCount).flatMap { table in
        (0..<levelCount).map { unsafe Int8(bitPattern: bytes[16 * table + $0]) }
      }
    }
    globalScale = kernel.global_scale
  }
}

extension ck_lut {
  /// Without levels.
  init(format: QuantizationFormat, columns: Int) {
    self.init()
    level_count = Int32(format.code.levelCount ?? 0)
    table_count = Int32(format.tableCount)
    group_columns = format.blockColumns ?? 1
    self.columns = columns
    global_scale = 1
  }

  /// - Precondition: there are as many levels as the format has.
  init(format: QuantizationFormat, columns: Int, tables: LookupTables) {
    self.init(format: format, columns: columns)
    let levelCount = Int(level_count)
    precondition(tables.levels.count == format.tableCount * levelCount)
    global_scale = tables.globalScale
    unsafe withUnsafeMutableBytes(of: &levels) { bytes in
      for (index, level) in tables.levels.enumerated() {
        unsafe bytes[index / levelCount * 16 + index % levelCount] = UInt8(bitPattern: level)
      }
    }
  }
}

extension [Float]? {
  /// Lends the elements to a kernel; NULL where there is no array.
  func withUnsafeElements(_ body: (UnsafePointer<Float>?) -> Void) {
    guard let self else { return body(nil) }
    unsafe self.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
  }
}
