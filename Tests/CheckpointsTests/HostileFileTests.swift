import Bytes
import Checkpoints
import FixtureSupport
import SystemPackage
import Tensors
import Testing

/// Safetensors files that must be refused, each for its own reason.
struct HostileFileTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var bytes: [UInt8]
    var matches: @Sendable (CheckpointsError) -> Bool

    init(
      _ description: String, _ bytes: [UInt8],
      _ matches: @escaping @Sendable (CheckpointsError) -> Bool
    ) {
      testDescription = description
      self.bytes = bytes
      self.matches = matches
    }

    /// A file of this header and as many bytes of data.
    init(
      _ description: String, header: String, data: Int = 0,
      _ matches: @escaping @Sendable (CheckpointsError) -> Bool
    ) {
      self.init(
        description, SafetensorsBytes.file(header: header, dataByteCount: data), matches)
    }
  }

  /// A header of one tensor `a`.
  static func one(
    _ dtype: String = "U8", _ shape: String = "[2]", _ offsets: String = "[0,2]"
  ) -> String {
    "{\"a\":{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}}"
  }

  static func two(_ first: String, _ second: String) -> String {
    "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":\(first)},"
      + "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":\(second)}}"
  }

  static func isJSON(
    _ error: CheckpointsError, _ matches: (JSONError) -> Bool
  ) -> Bool {
    if case .json(let error) = error { matches(error) } else { false }
  }

  static let cases: [Case] =
    prefixCases + jsonCases + [
      Case("no dtype", header: #"{"a":{"shape":[],"data_offsets":[0,1]}}"#, data: 1) {
        if case .missingField(_, "a", "dtype", 9) = $0 { true } else { false }
      },
      Case("no shape", header: #"{"a":{"dtype":"U8","data_offsets":[0,1]}}"#, data: 1) {
        if case .missingField(_, "a", "shape", 9) = $0 { true } else { false }
      },
      Case("no offsets", header: #"{"a":{"dtype":"U8","shape":[]}}"#, data: 1) {
        if case .missingField(_, "a", "data_offsets", 9) = $0 { true } else { false }
      },
      Case(
        "an unknown field",
        header: #"{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1],"x":{}}}"#, data: 1
      ) {
        if case .unknownField(_, "a", "x", 59) = $0 { true } else { false }
      },
      Case("an unknown dtype", header: one("Q4"), data: 2) {
        if case .unknownDType(_, "a", "Q4", 14) = $0 { true } else { false }
      },
      Case("a negative dimension", header: one("U8", "[-2,-1]"), data: 2) {
        if case .negativeDimension(_, "a", _) = $0 { true } else { false }
      },
      Case("an overflowing shape", header: one("U8", "[4294967296,4294967296]"), data: 2) {
        if case .shapeTooLarge(_, "a", _) = $0 { true } else { false }
      },
      Case("overflowing bits", header: one("F64", "[1152921504606846976]"), data: 2) {
        if case .shapeTooLarge(_, "a", _) = $0 { true } else { false }
      },
      Case("half a byte", header: one("F4", "[3]"), data: 2) {
        if case .partialByte(_, "a", .f4, _) = $0 { true } else { false }
      },
      Case("one offset", header: one("U8", "[2]", "[2]"), data: 2) {
        if case .notTwoOffsets(_, "a", _) = $0 { true } else { false }
      },
      Case("three offsets", header: one("U8", "[2]", "[0,2,2]"), data: 2) {
        if case .notTwoOffsets(_, "a", _) = $0 { true } else { false }
      },
      Case("a negative offset", header: one("U8", "[2]", "[-2,0]"), data: 2) {
        if case .notTwoOffsets(_, "a", _) = $0 { true } else { false }
      },
      Case("reversed offsets", header: one("U8", "[2]", "[2,0]"), data: 2) {
        if case .reversedOffsets(_, "a", 2, 0, _) = $0 { true } else { false }
      },
      Case("an offset past the end", header: one(), data: 1) {
        if case .offsetsPastEnd(_, "a", 2, 1) = $0 { true } else { false }
      },
      Case(
        "an offset far past the end", header: one("U8", "[2]", "[0,9223372036854775807]"), data: 2
      ) {
        if case .offsetsPastEnd(_, "a", Int.max, 2) = $0 { true } else { false }
      },
      Case("too few bytes for the shape", header: one("U8", "[3]"), data: 2) {
        if case .wrongByteCount(_, "a", .u8, _, 3, 2) = $0 { true } else { false }
      },
      Case("too many bytes for the shape", header: one("U8", "[1]"), data: 2) {
        if case .wrongByteCount(_, "a", .u8, _, 1, 2) = $0 { true } else { false }
      },
      Case("overlapping tensors", header: two("[0,2]", "[1,3]"), data: 3) {
        if case .overlap(_, "b", "a", _) = $0 { true } else { false }
      },
      Case("one place for two tensors", header: two("[0,2]", "[0,2]"), data: 2) {
        if case .overlap = $0 { true } else { false }
      },
      Case("a hole", header: two("[0,2]", "[3,5]"), data: 5) {
        if case .hole(_, _, 1) = $0 { true } else { false }
      },
      Case("a hole at the start", header: one("U8", "[2]", "[1,3]"), data: 3) {
        if case .hole(_, _, 1) = $0 { true } else { false }
      },
      Case("data after the last tensor", header: one(), data: 5) {
        if case .hole(_, _, 3) = $0 { true } else { false }
      },
      Case("data without a tensor", header: "{}", data: 1) {
        if case .hole(_, 10, 1) = $0 { true } else { false }
      },
    ]

  static let prefixCases = [
    Case("an empty file", []) { if case .tooSmall(_, 0) = $0 { true } else { false } },
    Case("7 bytes", [2, 0, 0, 0, 0, 0, 0]) {
      if case .tooSmall(_, 7) = $0 { true } else { false }
    },
    Case("a header over the limit", [1, 0xE1, 0xF5, 5, 0, 0, 0, 0, 0x7B]) {
      if case .headerTooLong(_, 100_000_001, 100_000_000) = $0 { true } else { false }
    },
    Case("a header of 2^64 − 1 bytes", [UInt8](repeating: 0xFF, count: 16)) {
      if case .headerTooLong(_, UInt64.max, _) = $0 { true } else { false }
    },
    Case("a header past the end", [3, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D]) {
      if case .headerPastEnd(_, 3, 10) = $0 { true } else { false }
    },
    Case("an empty header", [UInt8](repeating: 0, count: 8)) {
      if case .headerWithoutBrace(_, nil) = $0 { true } else { false }
    },
    Case("a space before the brace", header: " {}") {
      if case .headerWithoutBrace(_, 0x20) = $0 { true } else { false }
    },
    Case("an array", header: "[]") {
      if case .headerWithoutBrace(_, 0x5B) = $0 { true } else { false }
    },
  ]

  static let jsonCases = [
    Case(
      "bad UTF-8", SafetensorsBytes.file(header: [0x7B, 0x22, 0xFF, 0x22, 0x7D], data: [])
    ) {
      isJSON($0) { $0.problem == .invalidUTF8 && $0.byteOffset == 10 }
    },
    Case("bad JSON", header: "{\"a\"}") { isJSON($0) { $0.byteOffset == 12 } },
    Case("a cut header", header: "{\"a\":{\"dtype\":") {
      isJSON($0) {
        if case .endsEarly = $0.problem { true } else { false }
      }
    },
    Case("text after the header", header: "{}x") {
      isJSON($0) { $0.problem == .trailingBytes && $0.byteOffset == 10 }
    },
    Case(
      "the same tensor twice",
      header: #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"#
        + #""a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, data: 1
    ) {
      isJSON($0) { $0.problem == .duplicateKey("a") && $0.byteOffset == 61 }
    },
    Case(
      "the same field twice",
      header: #"{"a":{"dtype":"U8","shape":[1],"shape":[2],"data_offsets":[0,2]}}"#, data: 2
    ) {
      isJSON($0) { $0.problem == .duplicateKey("shape") }
    },
    Case("metadata twice", header: #"{"__metadata__":{},"__metadata__":{}}"#) {
      isJSON($0) { $0.problem == .duplicateKey("__metadata__") }
    },
    Case("a metadata key twice", header: #"{"__metadata__":{"k":"1","k":"2"}}"#) {
      isJSON($0) { $0.problem == .duplicateKey("k") }
    },
    Case("metadata that is no object", header: #"{"__metadata__":[]}"#) {
      isJSON($0) { $0.byteOffset == 24 }
    },
    Case("metadata that is no text", header: #"{"__metadata__":{"k":1}}"#) {
      isJSON($0) { $0.byteOffset == 29 }
    },
    Case("a tensor that is no object", header: #"{"a":1}"#) { isJSON($0) { $0.byteOffset == 13 } },
    Case("a dtype that is no text", header: #"{"a":{"dtype":8}}"#) { isJSON($0) { _ in true } },
    Case("a fractional dimension", header: one("U8", "[2.0]"), data: 2) {
      isJSON($0) { _ in true }
    },
    Case("an offset over 63 bits", header: one("U8", "[2]", "[0,9223372036854775808]"), data: 2) {
      isJSON($0) { _ in true }
    },
    Case("an array 100 deep", header: "{\"a\":" + String(repeating: "[", count: 100)) {
      isJSON($0) { _ in true }
    },
  ]

  @Test(arguments: cases) func isRefused(_ hostile: Case) throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("model.safetensors")
      try writeFile(path, hostile.bytes)
      for opened in [folder, path] {
        let error = #expect(throws: CheckpointsError.self) { try Checkpoint(path: opened) }
        #expect(error.map(hostile.matches) == true, "\(String(describing: error))")
        let description = error?.description ?? ""
        #expect(description.contains(path.string) && !description.contains("\n"))
        #expect(error?.kind == .invalidInput)
      }
    }
  }

  @Test(arguments: [
    "{}", "{}   ", #"{"__metadata__":{"format":"pt"}}"#,
    #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#,
    #"{"a":{"data_offsets":[0,0],"shape":[3,0],"dtype":"F32"},"é":{"dtype":"F4","shape":[0],"data_offsets":[0,0]}}"#,
  ])
  func isAccepted(header: String) throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("x.safetensors")
      try writeFile(path, SafetensorsBytes.file(header: header, dataByteCount: 0))
      #expect(try SafetensorsFile(path: path).byteCount == 8 + header.utf8.count)
    }
  }
}
