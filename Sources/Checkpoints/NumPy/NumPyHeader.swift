import Bytes
import Tensors

/// The header of an array in NumPy's own format, versions 1 to 3.
///
/// Source: numpy/lib/_format_impl.py. The header is a Python literal; read is the one that NumPy
/// writes, a dict of `descr`, `fortran_order` and `shape`, whatever their order and spaces.
struct NumPyHeader {
  /// The longest header that is read, which is a thousand times what an array needs.
  static let byteLimit = 1 << 16

  let dtype: DType
  let shape: Shape
  let isFortranOrder: Bool
  /// Where the values begin.
  let byteCount: Int

  /// - Parameter start: the array's first bytes, at least the header if there is one.
  init(_ start: [UInt8]) throws(NumPyProblem) {
    guard start.starts(with: [0x93] + Array("NUMPY".utf8)), start.count >= 10 else {
      throw .noMagic
    }
    guard 1...3 ~= start[6] else { throw .unknownVersion(Int(start[6])) }
    let textOffset = start[6] == 1 ? 10 : 12
    let length =
      start[6] == 1
      ? start.littleEndian(at: 8, as: UInt16.self).map(Int.init)
      : start.littleEndian(at: 8, as: UInt32.self).map(Int.init)
    guard let length, length <= start.count - textOffset else { throw .truncatedHeader }
    byteCount = textOffset + length
    guard let text = String(validating: start[textOffset..<byteCount], as: UTF8.self) else {
      throw .wrongHeader
    }
    let fields = try Self.fields(text)
    guard fields.count == 3, let description = fields["descr"],
      let order = fields["fortran_order"], let dimensions = fields["shape"]
    else { throw .wrongHeader }
    guard let dtype = Self.dtypes[description] else { throw .unknownDType(description) }
    guard order == "True" || order == "False" else { throw .wrongHeader }
    guard let shape = Shape(try Self.dimensions(dimensions)), shape.byteCount(of: dtype) != nil
    else { throw .shapeTooLarge }
    self.dtype = dtype
    self.shape = shape
    isFortranOrder = order == "True"
  }

  private static let dtypes: [String: DType] = [
    "'|b1'": .bool, "'|u1'": .u8, "'|i1'": .i8, "'<u2'": .u16, "'<i2'": .i16, "'<u4'": .u32,
    "'<i4'": .i32, "'<u8'": .u64, "'<i8'": .i64, "'<f2'": .f16, "'<f4'": .f32, "'<f8'": .f64,
    "'<c8'": .c64,
  ]

  /// The fields of a dict of names, their values as text.
  private static func fields(_ text: String) throws(NumPyProblem) -> [String: String] {
    var rest = text[...]
    func skipSpaces() { rest = rest.drop { $0 == " " || $0 == "\n" } }
    func take(_ character: Character) -> Bool {
      skipSpaces()
      guard rest.first == character else { return false }
      rest.removeFirst()
      return true
    }
    var fields: [String: String] = [:]
    guard take("{") else { throw .wrongHeader }
    while !take("}") {
      guard take("'"), let nameEnd = rest.firstIndex(of: "'") else { throw .wrongHeader }
      let name = String(rest[..<nameEnd])
      rest = rest[rest.index(after: nameEnd)...]
      guard take(":") else { throw .wrongHeader }
      skipSpaces()
      // A value ends at a comma, unless that is within the parentheses of a shape.
      var depth = 0
      let end = rest.firstIndex { character in
        if character == "(" || character == "[" { depth += 1 }
        if character == ")" || character == "]" { depth -= 1 }
        return depth == 0 && (character == "," || character == "}")
      }
      guard let end else { throw .wrongHeader }
      let value = rest[..<end].split(separator: " ").joined(separator: " ")
      guard fields.updateValue(value, forKey: name) == nil else { throw .wrongHeader }
      rest = rest[end...]
      _ = take(",")
    }
    skipSpaces()
    guard rest.isEmpty else { throw .wrongHeader }
    return fields
  }

  /// The whole numbers of a tuple such as `(2, 3)`, `(2,)` or `()`.
  private static func dimensions(_ text: String) throws(NumPyProblem) -> [Int] {
    guard text.first == "(", text.last == ")", text.count >= 2 else { throw .wrongHeader }
    var parts = text.dropFirst().dropLast()
      .split(separator: ",", omittingEmptySubsequences: false)
      .map { $0.drop { $0 == " " } }
    if parts.last == "" { parts.removeLast() }
    var dimensions: [Int] = []
    for part in parts {
      guard let dimension = Int(part), part.allSatisfy(\.isNumber) else { throw .wrongHeader }
      dimensions.append(dimension)
    }
    guard dimensions.count <= 64 else { throw .wrongHeader }
    return dimensions
  }
}
