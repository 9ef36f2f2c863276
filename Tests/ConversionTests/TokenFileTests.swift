import Bytes
import Conversion
import FixtureSupport
import Quantization
import SystemPackage
import Testing
import Validation

/// Token files: what is used of them, and what is refused.
@Suite struct TokenFileTests {
  /// Converts a fixture with 320 token ids on a file of these ids.
  static func convert(
    _ ids: [Int64], dtype: String = "I64", name: String = "input_ids", shape: [Int]? = nil,
    count: Int = 256
  ) throws -> Converted {
    try withTemporaryFolder { folder in
      let width = dtype == "I64" ? 8 : 4
      let bytes = ids.flatMap { id in
        (0..<width).map { UInt8(truncatingIfNeeded: id >> (8 * Int64($0))) }
      }
      let file = folder.appending("ids.safetensors")
      try writeFile(
        file, SafetensorsBytes.file([(name, dtype, shape ?? [ids.count], bytes)]))
      return try Converted("mixtral", in: folder, scheme: .int4G64) {
        $0.search = .absmax
        $0.tokens = file
        $0.tokenCount = count
      }
    }
  }

  @Test func dtypesAndShapes() throws {
    let ids: [Int64] = [5, 7, 7, 0, 100, 3]
    let expected = try Self.convert(ids).report
    #expect(expected.measurement.tokens == "ids.safetensors")
    #expect(expected.measurement.tokenCount == 6)
    let narrow = try Self.convert(ids, dtype: "I32").report
    let square = try Self.convert(ids, shape: [2, 3]).report
    #expect(narrow.layers == expected.layers && square.layers == expected.layers)
  }

  @Test(arguments: ["tokens.npz", "tokens-deflated.npz", "tokens.npy", "fortran.npy"])
  func filesOfNumPy(name: String) throws {
    let expected = try Self.convert([3, 1, 4, 1, 5, 9]).report
    try withTemporaryFolder { folder in
      let converted = try Converted("mixtral", in: folder, scheme: .int4G64) {
        $0.search = .absmax
        $0.tokens = Fixtures.path("pytorch/\(name)")
      }
      #expect(converted.report.measurement.tokens == name)
      #expect(converted.report.layers == expected.layers)
    }
  }

  @Test func onlyTheFirstAreUsed() throws {
    let report = try Self.convert([5, 7, 9, -1, 1 << 40], count: 3).report
    #expect(report.measurement.tokenCount == 3)
    #expect(report.layers == (try Self.convert([5, 7, 9]).report.layers))
  }

  @Test(
    arguments: [
      ([], "I64", "input_ids", "is empty"), ([1, -1], "I64", "input_ids", "the id -1 is outside"),
      ([1 << 20], "I32", "input_ids", "is outside of the vocabulary"),
      ([1 << 40], "I64", "input_ids", "is outside of the vocabulary"),
      ([1], "F32", "input_ids", "is F32, not I32 or I64"),
      ([1], "U32", "input_ids", "is U32, not I32 or I64"),
      ([1], "I32", "tokens", "no tensor 'input_ids'"),
    ] as [([Int64], String, String, String)])
  func refuses(ids: [Int64], dtype: String, name: String, reason: String) {
    let error = #expect(throws: ConversionError.self) {
      try Self.convert(ids, dtype: dtype, name: name)
    }
    let text = error?.description ?? ""
    #expect(error?.kind == .invalidInput)
    #expect(
      text.contains("ids.safetensors: not usable as tokens") && text.contains(reason), "\(text)")
  }

  @Test func refusesOtherKindsOfFiles() throws {
    try withTemporaryFolder { folder in
      let file = folder.appending("tokenizer.json")
      try writeFile(file, Array("{}".utf8))
      let error = #expect(throws: ConversionError.self) {
        try Converted("mixtral", in: folder, scheme: .int4G64) { $0.tokens = file }
      }
      let text = error?.description ?? ""
      #expect(
        text.contains("tokenizer.json: not usable as tokens")
          && text.contains(".safetensors, .npz or .npy"), "\(text)")
    }
  }

  /// Nothing is left behind where the tokens are refused, since they are read first.
  @Test func areReadBeforeTheOutputIsCreated() throws {
    try withTemporaryFolder { folder in
      #expect(throws: (any Error).self) {
        try Converted("mixtral", in: folder, scheme: .int4G64) {
          $0.tokens = folder.appending("missing.safetensors")
        }
      }
      #expect(!exists(folder.appending("out.kelter")))
      #expect(!exists(folder.appending("out.kelter.partial")))
    }
  }

  @Test func seededIdsFollowTheSeed() throws {
    try withTemporaryFolder { folder in
      let reports = try [UInt64(0), 0, 1].enumerated().map { index, seed in
        try Converted("mixtral", in: folder, name: "\(index).kelter", scheme: .int4G64) {
          $0.seed = seed
        }.report
      }
      #expect(reports[0].layers == reports[1].layers && reports[0].layers != reports[2].layers)
      #expect(reports[2].measurement.seed == 1 && reports[2].measurement.tokens == "seeded")
    }
  }
}

/// The memory limit: too small is told with the number that would do.
@Suite struct MemoryLimitTests {
  @Test(arguments: [true, false])
  func theNumberThatIsNamedDoes(gate: Bool) throws {
    try withTemporaryFolder { folder in
      func convert(_ limit: Int) throws {
        _ = try Converted("trained", in: folder, name: "\(limit).kelter", scheme: .nvfp4) {
          $0.memoryLimit = limit
          $0.gate = gate
          $0.search = .absmax
        }
      }
      let error = #expect(throws: ConversionError.self) { try convert(1000) }
      guard case .memoryLimitTooSmall(1000, let needed) = error else {
        Issue.record("\(error as Any)")
        return
      }
      #expect(throws: ConversionError.self) { try convert(needed - 1) }
      try convert(needed)
      #expect(needed < 256 << 20)
    }
  }
}
