import Bytes
import SystemPackage
import Testing

struct JSONTests {
  func parse(_ text: String) throws(JSONError) -> JSONValue {
    try JSONValue(parsing: Array(text.utf8), file: "x.json")
  }

  @Test func readsEveryType() throws {
    let value = try parse(
      #" {"a":[null,true,false,-0,12,-9223372036854775808,18446744073709551615,1.5e2,1e-3],"b":{},"c":[],"d":"x\u00e9\ud83d\ude00\n\"\\\/é😀"} "#
    )
    #expect(
      value["a"]
        == .array([
          .null, .bool(true), .bool(false), .integer(0), .integer(12), .integer(.min),
          .unsigned(.max), .number(150), .number(0.001),
        ]))
    #expect(value["b"] == .object([:]))
    #expect(value["c"] == .array([]))
    #expect(value["d"]?.string == "xé😀\n\"\\/é😀")
    #expect(value["nothing"] == nil && value[0] == nil && value["a"]?[9] == nil)
  }

  @Test func numbersAreExact() throws {
    #expect(try parse("9007199254740993").int == 9_007_199_254_740_993)
    #expect(try parse("9007199254740993").double == nil)
    #expect(try parse("1e6").int == 1_000_000)
    #expect(try parse("2.0").int == 2)
    #expect(try parse("2.5").int == nil)
    #expect(try parse("1e17").int == nil)
    #expect(try parse("18446744073709551616").double == 0x1p64)
    #expect(try parse("18446744073709551615").int == nil)
  }

  @Test(
    arguments: [
      ("", 0, JSONError.Problem.endsEarly(expected: "a JSON value")),
      ("{\"a\":1,\"b\":2,\"a\":3}", 13, .duplicateKey("a")),
      ("{\"a\":{\"k\":1,\"k\":1}}", 12, .duplicateKey("k")),
      ("{\"a\":1,\"\\u0061\":3}", 7, .duplicateKey("a")),
      ("[1,]", 3, .unexpected(byte: 0x5D, expected: "a JSON value")),
      ("{\"a\":1,}", 7, .unexpected(byte: 0x7D, expected: "a key in quotes")),
      ("[1 2]", 3, .unexpected(byte: 0x32, expected: "',' or ']'")),
      ("{\"a\" 1}", 5, .unexpected(byte: 0x31, expected: "':'")),
      ("[1] x", 4, .trailingBytes),
      ("nul", 3, .endsEarly(expected: "null")),
      ("NaN", 0, .unexpected(byte: 0x4E, expected: "a JSON value")),
      ("[01]", 1, .invalidNumber), ("[1.]", 1, .invalidNumber), ("[-]", 1, .invalidNumber),
      ("[1e]", 1, .invalidNumber), ("[1e999]", 1, .numberOutOfRange),
      ("\"a\u{1}\"", 2, .controlCharacter(1)), ("\"\\x\"", 1, .invalidEscape),
      ("\"\\ud800\"", 1, .loneSurrogate), ("\"\\udc00\"", 1, .loneSurrogate),
      ("\"\\ud800\\u0041\"", 1, .loneSurrogate), ("\"\\u12g4\"", 5, .invalidEscape),
      ("\"abc", 4, .endsEarly(expected: "the end of a string")),
      ("\"abc\\", 5, .endsEarly(expected: "an escape")),
      ("'a'", 0, .unexpected(byte: 0x27, expected: "a JSON value")),
      (
        String(repeating: "[", count: 65) + String(repeating: "]", count: 65), 64,
        .tooDeep(limit: 64)
      ),
    ])
  func refuses(text: String, byteOffset: Int, problem: JSONError.Problem) {
    #expect(throws: JSONError(file: "x.json", byteOffset: byteOffset, problem: problem)) {
      try parse(text)
    }
  }

  @Test func acceptsTheDepthLimit() throws {
    _ = try parse(String(repeating: "[", count: 64) + String(repeating: "]", count: 64))
  }

  @Test(
    arguments: [
      ([0x22, 0xFF, 0x22], 1), ([0x22, 0x61, 0xC0, 0x80, 0x22], 2),
      ([0x22, 0xED, 0xA0, 0x80, 0x22], 1), ([0x5B, 0x5D, 0xC3], 2),
    ] as [([UInt8], Int)])
  func refusesWhatIsNotUTF8(bytes: [UInt8], byteOffset: Int) {
    #expect(throws: JSONError(file: "x.json", byteOffset: byteOffset, problem: .invalidUTF8)) {
      try JSONValue(parsing: bytes, file: "x.json")
    }
  }

  @Test func errorsAreOneLine() throws {
    let error = #expect(throws: JSONError.self) { try parse("{\"a\":1,\"a\":2}") }
    #expect(error?.description == "x.json: byte 7: the key \"a\" appears twice in one object")
    #expect(error?.kind == .invalidInput)
  }
}
