import FixtureSupport
import Foundation
import SystemPackage
import Testing

/// What makes no sense: exit code 64, one line that says what would.
@Suite struct UsageTests {
  @Test(arguments: [
    (["press"], "no command 'press'"), (["covnert", "a", "-o", "b"], "inspect, plan, convert"),
    (["help", "press"], "no command 'press'"), (["inspect", ""], "path"),
    (["inspect"], "path"), (["inspect", "a", "b"], "b"),
    (["plan", "a"], "--scheme"), (["plan", "a", "--scheme", "int5"], "int4-g32"),
    (["plan", "a"], "--compare"),
    (["plan", "a", "--compare", "--scheme", "keep"], "--schemes a,b"),
    (["plan", "a", "--compare", "--schemes", "int4-g32,int5"], "'int5'"),
    (["plan", "a", "--compare", "--schemes", ""], "int4-g32"),
    (["plan", "a", "--compare", "--threads", "0"], "--threads"),
    (["plan", "a", "--scheme", "keep", "--schemes", "keep"], "--schemes needs --compare"),
    (["plan", "a", "--scheme", "keep", "--search", "fast"], "--search needs --compare"),
    (["plan", "a", "--scheme", "int5"], "nvfp4, lut4-g32"),
    (["convert", "a", "--scheme", "keep"], "--output"),
    (["convert", "a", "-o", "b"], "'kelter plan PATH --compare' shows what each does"),
    (["convert", "a", "-o", "b", "--scheme", "keep", "--search", "none"], "absmax"),
    (["convert", "a", "-o", "b", "--scheme", "keep", "--threads", "0"], "--threads"),
    (["convert", "a", "-o", "b", "--scheme", "keep", "--threads", "x"], "--threads"),
    (["convert", "a", "-o", "b", "--scheme", "keep", "--token-count", "0"], "--token-count"),
    (["convert", "a", "-o", "b", "--scheme", "keep", "--seed", "-1"], "--seed"),
    (
      ["convert", "a", "-o", "b", "--scheme", "keep", "--memory-limit", "2 cups"], "--memory-limit"
    ),
    (["convert", "a", "-o", "b", "--scheme", "keep", "--report", "r.txt"], ".json, .md or .xml"),
    // Not even with --force, which means the output of a former run.
    (
      ["convert", "a", "-o", "t.npy", "--scheme", "keep", "--tokens", "t.npy", "--force"],
      "--output and --tokens name the same file"
    ),
    (
      [
        "convert", "a", "-o", "b", "--scheme", "keep", "--recipe", "r.json", "--report", "./r.json",
      ],
      "--report and --recipe name the same file"
    ),
    (
      ["convert", "a", "-o", "b.json", "--scheme", "keep", "--report", "b.json"],
      "--report and --output name the same file"
    ),
    (
      ["verify", "a", "--against", "b", "--budget", "c.json", "--report", "c.json"],
      "--report and --budget name the same file"
    ),
    (["export", "a", "-o", "b"], "--format"),
    (["export", "a", "-o", "b", "--format", "f8"], "bf16"),
    (["export", "a", "-o", "b", "--format", "f32", "--threads", "0"], "--threads"),
    (["diff", "a"], "b"), (["verify", "a", "--frobnicate"], "--frobnicate"),
  ])
  func isNamed(arguments: [String], part: String) throws {
    try expectFailure(64, naming: part, of: arguments)
  }

  /// What says how layers are measured is refused where none is.
  @Test(arguments: [("--budget", "c"), ("--tokens", "c"), ("--token-count", "9"), ("--seed", "9")])
  func needsTheGate(option: String, value: String) throws {
    try expectFailure(
      64, naming: "\(option) needs the gate",
      of: ["convert", "a", "-o", "b", "--scheme", "keep", "--no-gate", option, value])
    try expectFailure(
      64, naming: "\(option) needs --against", of: ["verify", "a", option, value])
  }

  @Test func repositoriesAreNotFetched() throws {
    try expectFailure(
      66, naming: "hf download owner/model --local-dir",
      of: ["plan", "owner/model", "--scheme", "keep"])
  }

  @Test(arguments: [
    ("--recipe", "rules: 1", "not a recipe"),
    ("--recipe", "rules:\n  - {role: expert.sideways, scheme: keep}\n", "expert.sideways"),
    (
      "--recipe", "rules:\n  - {role: norm, scheme: int4-g32}\n  - {tensors: '*', scheme: int3}\n",
      "int3"
    ),
    ("--recipe", "rules:\n  - {tensors: '*norm.weight', scheme: int4-g32}\n", "no matrix"),
    ("--budget", "weights: {realtive_error: 1}", "realtive_error"), ("--budget", "", "empty"),
  ])
  func filesOfOptions(option: String, text: String, part: String) throws {
    try withTemporaryFolder { folder in
      try writeFile("file.yaml", in: folder, Array(text.utf8))
      try expectFailure(
        64, naming: part,
        of: BadSourceTests.convert(Fixtures.path("mixtral"), in: folder)
          + [option, folder.appending("file.yaml").string])
      #expect(try names(in: folder) == ["file.yaml"])
    }
  }

  @Test(arguments: ["--recipe", "--budget", "--tokens"])
  func filesOfOptionsThatAreNotThere(option: String) throws {
    try withTemporaryFolder { folder in
      _ = try expectFailure(
        66, naming: "/nowhere.yaml",
        of: BadSourceTests.convert(Fixtures.path("mixtral"), in: folder)
          + [option, "/nowhere.yaml"])
    }
  }

  @Test func unknownFamily() throws {
    try expectFailure(
      64, naming: "nextbigthing", "Mixtral",
      of: ["inspect", Fixtures.path("mixtral").string, "--family", "nextbigthing"])
  }

  /// The error tells the least limit to the byte, so that it can be typed.
  @Test func memoryLimitThatIsTooSmall() throws {
    try withTemporaryFolder { folder in
      let convert = BadSourceTests.convert(Fixtures.path("mixtral"), in: folder)
      let run = try expectFailure(
        64, naming: "memory limit", " MB ", of: convert + ["--memory-limit", "1MiB"])
      #expect(try names(in: folder).isEmpty)
      let match = try #require(run.errors.firstMatch(of: /needs .* \((\d+) bytes\)/))
      let needed = try #require(Int(match.1))
      try expectFailure(
        64, naming: "(\(needed) bytes)", of: convert + ["--memory-limit", "\(needed - 1)"])
      let enough = try CommandRun(convert + ["--memory-limit", "\(needed)"])
      #expect(enough.exitCode == 0, "\(enough.errors)")
    }
  }

  @Test func differentThingsAreNotCompared() throws {
    try withTemporaryFolder { folder in
      for fixture in ["mixtral", "trained"] {
        let run = try kelter(
          "convert", Fixtures.path(fixture).string, "--scheme", "int4-g64", "--no-gate", "-o",
          folder.appending(fixture + ".kelter").string, "--search", "absmax")
        #expect(run.exitCode == 0, "\(run.errors)")
      }
      try expectFailure(
        64, naming: "in common",
        of: [
          "diff", folder.appending("mixtral.kelter").string,
          folder.appending("trained.kelter").string,
        ])
      try expectFailure(
        65, naming: "mixtral.kelter", "does not come from this source",
        of: [
          "verify", folder.appending("mixtral.kelter").string, "--against",
          Fixtures.path("trained").string,
        ])
    }
  }
}
