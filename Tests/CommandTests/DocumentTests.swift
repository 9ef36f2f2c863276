import Bytes
import FixtureSupport
import Foundation
import SystemPackage
import Testing

/// What the commands print: with `--json` one document as formats/ describes it, with `--quiet`
/// nothing, progress and errors on stderr only.
@Suite struct DocumentTests {
  /// Runs a command with `--json` and checks its document against a schema.
  @discardableResult
  static func document(
    _ schema: String, exitCode: Int32 = 0, _ arguments: [String],
    environment: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> JSONValue {
    let run = try CommandRun(arguments + ["--json"], environment: environment)
    #expect(run.exitCode == exitCode, "\(run.errors)", sourceLocation: sourceLocation)
    // The parser refuses a second document, and text before or after.
    let document = try JSONValue(parsing: Array(run.output.utf8), file: "stdout")
    #expect(
      try JSONSchema("\(schema).schema.json").problems(of: document) == [],
      sourceLocation: sourceLocation)
    return document
  }

  static let fixtures = [
    "deepseek_v3", "deepseek_v3_fp8", "deepseek_v3_mtp", "qwen3_moe", "mixtral",
    "llama_r1_distill", "qwen2_r1_distill", "trained",
  ]

  @Test(arguments: fixtures)
  func everyDocumentOfACheckpoint(fixture: String) throws {
    try withTemporaryFolder { folder in
      let source = Fixtures.path(fixture).string
      let output = folder.appending("out.kelter").string
      let inspected = try Self.document("inspect", ["inspect", source])
      #expect(inspected["name"] == .string(fixture))
      #expect(inspected["family"]?.string != nil && inspected["sizes"]?.array?.isEmpty == false)

      let options = ["--scheme", "int4-g64", "--search", "fast"]
      let plan = try Self.document("plan", ["plan", source, "--scheme", "int4-g64"])
      let compared = try Self.document("plan-compare", ["plan", source, "--compare"])
      let row = compared["schemes"]?.array?.first { $0["scheme"] == .string("int4-g64") }
      #expect(row?["output_bytes"] == plan["output_bytes"])
      #expect(compared["sampled_weights"] == compared["weights"])
      let report = try Self.document("report", ["convert", source, "-o", output] + options)
      #expect(report["budget"]?["passed"] == .bool(true))
      #expect(report["bytes"]?["output"] == plan["output_bytes"])
      #expect(report["bytes"]?["bits_per_weight"] == plan["bits_per_weight"])
      #expect(.integer(try contents(FilePath(output)).count) == plan["output_bytes"])

      // The same report lies beside the output.
      let beside = folder.appending("out.report.json")
      #expect(try JSONValue(parsing: contents(beside), file: beside) == report)

      let inspectedOutput = try Self.document("inspect", ["inspect", output])
      for key in ["family", "model_type", "layers"] {
        #expect(inspectedOutput[key] == inspected[key], "\(key)")
      }
      let verified = try Self.document("verify", ["verify", output])
      #expect(verified["sound"] == .bool(true) && verified["report"] == nil)
      let measured = try Self.document("verify", ["verify", output, "--against", source])
      #expect(measured["report"]?["weights"] == report["weights"])

      let exported = try Self.document(
        "export", ["export", output, "-o", folder.appending("hf").string, "--format", "bf16"])
      #expect(exported["format"] == .string("bf16"))
      let same = try Self.document("diff", ["diff", output, beside.string])
      let changes = same["changes"]?.array ?? []
      #expect(!changes.isEmpty && changes.allSatisfy { $0["better"] == nil })
    }
  }

  /// What is printed for people fits the terminal that nobody widened; only a list of all tensors
  /// has a line each, for `grep`.
  @Test(arguments: ["trained", "gpt_oss", "kimi_k2_thinking_int4", "deepseek_v3_mtp"])
  func linesFit(fixture: String) throws {
    try withTemporaryFolder { folder in
      let source = Fixtures.path(fixture).string
      let recipe = folder.appending("r.yaml").string
      try writeFile(
        FilePath(recipe), Array("rules: [{role: attention, scheme: int4-asym-g128}]".utf8))
      let (a, b) = (folder.appending("a.kelter").string, folder.appending("b.kelter").string)
      for arguments in [
        ["inspect", source], ["plan", source, "--scheme", "fp8-e4m3-channel", "--recipe", recipe],
        ["plan", source, "--compare", "--search", "absmax"],
        ["convert", source, "-o", "a.kelter", "--scheme", "int4-asym-g128", "--recipe", "r.yaml"],
        ["convert", source, "-o", "b.kelter", "--scheme", "nvfp4", "--search", "absmax"],
        ["verify", "a.kelter", "--against", source], ["inspect", "a.kelter"],
        ["diff", "a.report.json", "b.report.json"],
      ] {
        let run = try CommandRun(arguments, folder: folder)
        #expect(run.exitCode == 0, "\(arguments): \(run.errors)")
        for line in run.output.split(separator: "\n") {
          #expect(line.count <= 80, "\(arguments): \(line)")
        }
      }
      #expect(exists(FilePath(a)) && exists(FilePath(b)))
    }
  }

  /// Figures that were measured on other tokens, or from another source, are told apart.
  @Test func differencesOfWhatWasMeasured() throws {
    try withTemporaryFolder { folder in
      let tokens = Fixtures.path("trained/tokens-test.safetensors").string
      func convert(_ name: String, _ fixture: String, _ options: String...) throws -> String {
        let run = try CommandRun(
          [
            "convert", Fixtures.path(fixture).string, "-o", "\(name).kelter", "--scheme", "mxfp4",
            "--search", "absmax", "--quiet",
          ] + options, folder: folder)
        #expect(run.exitCode == 0, "\(run.errors)")
        return folder.appending("\(name).report.json").string
      }
      let a = try convert("a", "trained", "--tokens", tokens)
      func notes(_ other: String) throws -> [String] {
        try Self.document("diff", ["diff", a, other])["notes"]?.array?.compactMap(\.string) ?? ["?"]
      }
      // Of the file's own checksums, and with the same tokens, there is nothing to tell.
      #expect(try notes(folder.appending("a.kelter").string) == [])
      #expect(try notes(convert("b", "trained", "--tokens", tokens, "--seed", "9")) == [])
      let seeded = try notes(convert("c", "trained"))
      #expect(seeded.count == 1 && seeded[0].contains("256 tokens (seeded), seed 0 in B"))
      let fewer = try notes(convert("d", "trained", "--tokens", tokens, "--token-count", "64"))
      #expect(fewer.count == 1 && fewer[0].contains("64 tokens (tokens-test.safetensors) in B"))

      let x = try convert("x", "deepseek_v3", "--no-gate")
      let y = try convert("y", "deepseek_v3_fp8", "--no-gate")
      let other = try Self.document("diff", ["diff", x, y])["notes"]?.array?.compactMap(\.string)
      #expect(other?.count == 1 && other?[0].contains("same source") == true, "\(other ?? [])")
    }
  }

  @Test func overTheBudget() throws {
    try withTemporaryFolder { folder in
      try writeFile("b.yaml", in: folder, Array("layers: {relative_error: 0.001}".utf8))
      let arguments = [
        "convert", Fixtures.path("mixtral").string, "-o", folder.appending("out.kelter").string,
        "--scheme", "int4-g64", "--search", "absmax", "--budget",
        folder.appending("b.yaml").string,
      ]
      let report = try Self.document("report", exitCode: 1, arguments)
      #expect(report["budget"]?["passed"] == .bool(false))
      #expect(report["budget"]?["violations"]?.array?.first?["where"] == .string("layer 0"))
      #expect(try names(in: folder) == ["b.yaml", "out.report.json"])

      // In words: what is over which limit.
      let run = try CommandRun(arguments)
      #expect(run.exitCode == 1 && run.errors.isEmpty)
      #expect(run.output.contains("over    layers.relative_error of layer 0 is"))
      #expect(run.output.contains("figure(s) of") && run.output.contains("are over the budget"))
    }
  }

  @Test func errors() throws {
    let missing = try Self.document("error", exitCode: 66, ["inspect", "/nowhere"])
    #expect(missing["error"]?["exit_code"] == .integer(66))
    #expect(missing["error"]?["message"]?.string?.contains("/nowhere") == true)
    try Self.document("error", exitCode: 64, ["plan", "/nowhere"])
    try withTemporaryFolder { folder in
      try writeFile("x.kelter", in: folder, [1, 2, 3])
      try Self.document(
        "error", exitCode: 65, ["verify", folder.appending("x.kelter").string])
    }
  }

  @Test func quietPrintsNothing() throws {
    try withTemporaryFolder { folder in
      let source = Fixtures.path("mixtral").string
      let output = folder.appending("out.kelter").string
      for arguments in [
        ["inspect", source], ["plan", source, "--scheme", "keep"],
        ["plan", source, "--compare", "--schemes", "keep,nvfp4", "--search", "absmax"],
        ["convert", source, "-o", output, "--scheme", "mxfp4", "--search", "absmax"],
        ["verify", output, "--against", source], ["diff", output, output],
        ["export", output, "-o", folder.appending("hf").string, "--format", "f32"],
      ] {
        let run = try CommandRun(arguments + ["--quiet"])
        #expect(run.exitCode == 0, "\(arguments): \(run.errors)")
        #expect(run.output.isEmpty && run.errors.isEmpty, "\(arguments)")
      }
      // A document that was asked for is printed all the same.
      let run = try kelter("verify", output, "--json", "--quiet")
      #expect(
        try JSONValue(parsing: Array(run.output.utf8), file: "stdout")["sound"] == .bool(true))
    }
  }

  /// `--report` picks its form by the ending, and its folder must be there before the work begins.
  @Test func reportFiles() throws {
    try withTemporaryFolder { folder in
      let output = folder.appending("out.kelter").string
      func convert(_ report: String) -> [String] {
        [
          "convert", Fixtures.path("mixtral").string, "-o", output, "--force", "--scheme", "nvfp4",
          "--search", "absmax", "--report", folder.appending(report).string,
        ]
      }
      for (name, start) in [
        ("r.json", "{\n"), ("r.md", "# Kelter report: Mixtral, nvfp4\n"), ("r.xml", "<?xml "),
      ] {
        #expect(try CommandRun(convert(name)).exitCode == 0)
        let text = String(decoding: try contents(folder.appending(name)), as: UTF8.self)
        #expect(text.hasPrefix(start), "\(name)")
      }
      let besides = try contents(folder.appending("out.report.json"))
      #expect(try contents(folder.appending("r.json")) == besides)
      // The place where the report lies anyway is one that can be asked for.
      #expect(
        try CommandRun(convert("../\(folder.lastComponent!.string)/out.report.json")).exitCode == 0)
      #expect(try names(in: folder).count == 5)
      try FileManager.default.removeItem(atPath: output)
      try expectFailure(73, naming: "missing/r.md", of: convert("missing/r.md"))
      #expect(!exists(FilePath(output)))
    }
  }

  /// A full disk behind stdout is an error as any other.
  @Test(arguments: [["--json"], []])
  func stdoutThatIsFull(options: [String]) throws {
    let arguments = ["inspect", Fixtures.path("mixtral").string] + options
    let run = try CommandRun(arguments, output: "/dev/full")
    #expect(run.exitCode == 74 && run.errorLines.count == 1, "\(run.errors)")
    #expect(run.errors.hasPrefix("kelter: error: stdout: "))
  }

  @Test func version() throws {
    for isa in ["portable", ""] {
      let run = try kelter("--version", environment: ["KELTER_KERNELS": isa])
      #expect(run.exitCode == 0 && run.errors.isEmpty)
      #expect(run.output.hasPrefix("kelter 0.1.0 (.kelter format 1."))
      let names = isa == "portable" ? ["portable"] : ["portable", "AVX2", "AVX-512", "NEON"]
      #expect(names.contains { run.output.hasSuffix(", \($0) kernels)\n") })
    }
  }

  @Test(arguments: [
    ([], ["inspect", "plan", "convert", "verify", "diff", "export", "Exit codes", "130"]),
    (["inspect"], [".kelter", "--family"]),
    (
      ["plan"],
      [
        "--scheme", "int4-g64", "nvfp4", "keep", "--recipe", "rules:", "--tensors", "--compare",
        "--schemes", "measured on a sample",
      ]
    ),
    (
      ["convert"],
      [
        "--budget", "--tokens", "--token-count", "256", "--seed", "--memory-limit", "2GiB",
        "--threads", "--report", "JUnit", "--search", "absmax", "--no-gate", "--force",
        "--allow-nonfinite", "--sha256", "report.json", "exit code is 1",
      ]
    ),
    (["verify"], ["--against", "--budget", "checksums"]), (["diff"], ["report", ".kelter"]),
    (["export"], ["f32", "bf16", "--output", "must not exist"]),
    (["pack"], ["--level", "--threads", "--force", "zstd -d"]),
    (["unpack"], ["--threads", "--force", "checksums", ".zst"]),
    (["expert"], ["--layer", "--expert", "--runs", "16 KiB", "formats/container.md"]),
  ])
  func help(command: [String], parts: [String]) throws {
    let run = try CommandRun(command + ["--help"])
    #expect(run.exitCode == 0 && run.errors.isEmpty)
    // Words may be broken over lines.
    let text = run.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    for part in parts + ["--help"] { #expect(text.contains(part), "\(part)") }
    if !command.isEmpty { #expect(text.contains("--json") && text.contains("--quiet")) }
  }
}
