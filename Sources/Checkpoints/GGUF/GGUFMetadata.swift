import Bytes

/// The keys and values at the beginning of a GGUF file.
struct GGUFMetadata {
  /// Arrays of more elements are passed over: vocabularies. Their place holds how many there are.
  static let elementLimit = 4096
  private static let depthLimit = 8

  private(set) var values: [String: JSONValue] = [:]
  /// Where the data of a tensor may begin, relative to the first.
  private(set) var alignment = 32

  @_lifetime(cursor: copy cursor)
  init(_ cursor: inout GGUFCursor, count: Int) throws(GGUFCursor.Stop) {
    for index in 0..<count {
      let keyByteOffset = cursor.byteOffset
      let key = try cursor.name(of: "metadata key \(index)")
      let typeByteOffset = cursor.byteOffset
      let type = try cursor.integer(as: UInt32.self, in: key)
      let value = try Self.value(&cursor, type: type, typeByteOffset, key: key, depth: 0)
      if key == "general.alignment" {
        guard type == 4, let alignment = value.int, (1...1 << 20).contains(alignment),
          alignment.nonzeroBitCount == 1
        else { throw cursor.error(.unsuitableAlignment(value), at: typeByteOffset) }
        self.alignment = alignment
      }
      guard values.updateValue(value, forKey: key) == nil else {
        throw cursor.error(.duplicateKey(key), at: keyByteOffset)
      }
    }
  }

  /// The number of bytes of the smallest value of a type; nil for a type that does not exist.
  private static func minimumByteCount(type: UInt32) -> Int? {
    switch type {
    case 0, 1, 7: 1
    case 2, 3: 2
    case 4, 5, 6: 4
    case 8, 10, 11, 12: 8
    case 9: 12
    default: nil
    }
  }

  /// Types as `gguf_metadata_value_type` of the GGUF specification numbers them.
  @_lifetime(cursor: copy cursor)
  private static func value(
    _ cursor: inout GGUFCursor, type: UInt32, _ typeByteOffset: Int, key: String, depth: Int
  ) throws(GGUFCursor.Stop) -> JSONValue {
    let start = cursor.byteOffset
    switch type {
    case 0: return .integer(Int(try cursor.integer(as: UInt8.self, in: key)))
    case 1: return .integer(Int(try cursor.integer(as: Int8.self, in: key)))
    case 2: return .integer(Int(try cursor.integer(as: UInt16.self, in: key)))
    case 3: return .integer(Int(try cursor.integer(as: Int16.self, in: key)))
    case 4: return .integer(Int(try cursor.integer(as: UInt32.self, in: key)))
    case 5: return .integer(Int(try cursor.integer(as: Int32.self, in: key)))
    case 6:
      let bits = try cursor.integer(as: UInt32.self, in: key)
      return .number(Double(Float(bitPattern: bits)))
    case 7:
      let byte = try cursor.integer(as: UInt8.self, in: key)
      guard byte <= 1 else { throw cursor.error(.notABool(key: key, byte: byte), at: start) }
      return .bool(byte == 1)
    case 8: return .string(try cursor.text(in: key))
    case 9: return try array(&cursor, key: key, depth: depth + 1)
    case 10:
      let value = try cursor.integer(as: UInt64.self, in: key)
      return Int(exactly: value).map { .integer($0) } ?? .unsigned(value)
    case 11: return .integer(Int(try cursor.integer(as: Int64.self, in: key)))
    case 12: return .number(Double(bitPattern: try cursor.integer(as: UInt64.self, in: key)))
    default: throw cursor.error(.unknownValueType(key: key, type: type), at: typeByteOffset)
    }
  }

  @_lifetime(cursor: copy cursor)
  private static func array(
    _ cursor: inout GGUFCursor, key: String, depth: Int
  ) throws(GGUFCursor.Stop) -> JSONValue {
    let start = cursor.byteOffset
    guard depth <= depthLimit else {
      throw cursor.error(.nestedTooDeep(key: key, limit: depthLimit), at: start)
    }
    let type = try cursor.integer(as: UInt32.self, in: key)
    guard let minimum = minimumByteCount(type: type) else {
      throw cursor.error(.unknownValueType(key: key, type: type), at: start)
    }
    let count = try cursor.count(of: "elements of \(key)", minimumByteCount: minimum)
    if count > elementLimit, type != 9 {
      if type == 8 {
        for _ in 0..<count { _ = try cursor.stringRange(in: key) }
      } else {
        try cursor.skip(count * minimum, in: key)
      }
      return .object(["element_count": .integer(count)])
    }
    var elements: [JSONValue] = []
    for _ in 0..<count {
      elements.append(try value(&cursor, type: type, start, key: key, depth: depth))
    }
    return .array(elements)
  }
}
