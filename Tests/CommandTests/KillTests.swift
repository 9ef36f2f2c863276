import Bytes
import FixtureSupport
import Foundation
import SystemPackage
import Testing

/// A conversion that is run once undisturbed and then in many ways that are not.
struct DisturbedConversion {
  let shim: FaultShim
  let folder: FilePath
  let arguments: [String]
  /// What the undisturbed run has made.
  let bytes: [UInt8]
  let report: [UInt8]
  /// Its system calls, a letter each: r(ead), w(rite), s(ync), t(runcate), l(ink), u(nlink),
  /// n(ame), d(atasync).
  let events: [Character]

  static let outputs = ["out.kelter", "out.report.json"]

  init(_ fixture: String, shim: FaultShim, in folder: FilePath, _ more: [String]) throws {
    self.shim = shim
    self.folder = folder
    arguments =
      FaultTests.convert(
        fixture, in: folder, tokenCount: more.contains("--no-gate") ? nil : 16) + more
    let log = folder.removingLastComponent().appending("events")
    let run = try CommandRun(arguments, environment: shim.environment(["SHIM_EVENTS": log.string]))
    #expect(run.exitCode == 0, "\(run.errors)")
    events = Array(String(decoding: try contents(log), as: UTF8.self))
    bytes = try contents(folder.appending("out.kelter"))
    report = try contents(folder.appending("out.report.json"))
    try clear()
  }

  func clear() throws {
    for name in try names(in: folder) {
      try FileManager.default.removeItem(atPath: folder.appending(name).string)
    }
  }

  /// Runs it with faults.
  func run(_ faults: [String: String], _ more: String...) throws -> CommandRun {
    try CommandRun(arguments + more, environment: shim.environment(faults))
  }

  /// Whatever was done to it: under the final name there is nothing or the whole file, and nothing
  /// lies there under a name that does not say what it is.
  func expectNothingHalf(_ moment: Comment, sourceLocation: SourceLocation = #_sourceLocation)
    throws
  {
    let names = try names(in: folder)
    #expect(
      Set(names).isSubset(
        of: Self.outputs + ["out.kelter.partial", "out.kelter.journal", "out.report.json.partial"]),
      moment, sourceLocation: sourceLocation)
    if names.contains("out.kelter") {
      let isWhole = try contents(folder.appending("out.kelter")) == bytes
      #expect(isWhole, moment, sourceLocation: sourceLocation)
    }
  }

  /// Runs the same command undisturbed and expects the same output, report, and nothing else.
  @discardableResult
  func finish(_ moment: Comment, sourceLocation: SourceLocation = #_sourceLocation) throws
    -> CommandRun
  {
    let wasPublished = try names(in: folder).contains("out.kelter")
    let run = try CommandRun(arguments)
    #expect(
      run.exitCode == (wasPublished ? 73 : 0), "\(moment): \(run.errors)",
      sourceLocation: sourceLocation)
    let isSame = try contents(folder.appending("out.kelter")) == bytes
    #expect(isSame, moment, sourceLocation: sourceLocation)
    let isSameReport = try contents(folder.appending("out.report.json")) == report
    #expect(isSameReport, moment, sourceLocation: sourceLocation)
    #expect(
      try names(in: folder).filter { $0 != "out.report.json.partial" || !wasPublished }
        == Self.outputs, moment, sourceLocation: sourceLocation)
    return run
  }
}

/// `kill -9` at any moment leaves nothing or a whole file under the final name, and the same
/// command again ends in the same bytes and the same report.
@Suite struct KillTests {
  /// Every call that is no read or write, and random ones of those: from opening the source over
  /// the units and layers to the report and the names.
  @Test(arguments: [[], ["--no-gate"]])
  func anyMoment(options: [String]) throws {
    try FaultTests.withShim { shim, folder in
      let conversion = try DisturbedConversion(
        "deepseek_v3_mtp", shim: shim, in: folder, options + ["--threads", "2"])
      var generator = SeededGenerator(seed: 4)
      func count(_ letters: String) -> Int { conversion.events.count { letters.contains($0) } }
      #expect(count("s") >= 3 && count("w") > 30 && count("r") > 60 && count("t") >= 2)
      var moments = (0..<count("stlnu")).map { (letters: "stlnu", number: $0, isTorn: false) }
      for _ in 0..<6 {
        let isTorn = Bool.random(using: &generator)
        moments.append(("w", Int.random(in: 0..<count("w"), using: &generator), isTorn))
        moments.append(("r", Int.random(in: 0..<count("r"), using: &generator), false))
      }
      #expect(moments.count >= 20)
      for (letters, number, isTorn) in moments {
        let moment: Comment = "killed at \(letters) \(number)\(isTorn ? ", torn" : "")"
        var faults = ["SHIM_KILL_IN": letters, "SHIM_KILL_AT": "\(number)"]
        if isTorn { faults["SHIM_TORN"] = "1" }
        #expect(try conversion.run(faults).exitCode == -1, moment)
        try conversion.expectNothingHalf(moment)
        try conversion.finish(moment)
        try conversion.clear()
      }
    }
  }

  /// Killed after a few writes, again and again: every run gets further, and what was done is not
  /// written again.
  @Test(arguments: zip([[], ["--no-gate"]], [38, 25]))
  func againAndAgain(options: [String], writeCount: Int) throws {
    try FaultTests.withShim { shim, folder in
      let conversion = try DisturbedConversion(
        "deepseek_v3_mtp", shim: shim, in: folder, options + ["--threads", "1"])
      let log = folder.removingLastComponent().appending("again")
      var runs = 0
      var kept: [Int] = []
      while try !names(in: folder).contains("out.kelter"), runs < 40 {
        try? FileManager.default.removeItem(atPath: log.string)
        // With the gate, at least one layer fits between two kills.
        let run = try conversion.run([
          "SHIM_KILL_IN": "w", "SHIM_KILL_AT": "\(writeCount)", "SHIM_EVENTS": log.string,
        ])
        try conversion.expectNothingHalf("run \(runs)")
        if let line = run.errorLines.first(where: { $0.contains("goes on from") }) {
          kept.append(Int(line.split(separator: " of ")[0].split(separator: " ").last!)!)
        }
        runs += 1
      }
      #expect(runs > 2 && kept.count == runs - 1, "\(kept)")
      #expect(kept == kept.sorted() && Set(kept).count == kept.count, "\(kept)")
      try conversion.finish("killed \(runs - 1) times")
    }
  }

  /// All is done but the names: the second run makes no extent again, save for what was damaged.
  @Test func whatIsDoneIsNotDoneAgain() throws {
    try FaultTests.withShim { shim, folder in
      let conversion = try DisturbedConversion("deepseek_v3_mtp", shim: shim, in: folder, [])
      let atTheEnd = ["SHIM_KILL_IN": "s", "SHIM_KILL_AT": "0"]
      #expect(try conversion.run(atTheEnd).exitCode == -1)
      let run = try conversion.finish("at the end")
      let line = try #require(run.errorLines.first)
      let parts = line.split(separator: " ")
      let place = try #require(parts.firstIndex(of: "of"))
      #expect(parts[place - 1] == parts[place + 1], "\(line)")
      #expect(run.errorLines.count == 1 && !line.contains("damaged"), "\(line)")

      try conversion.clear()
      #expect(try conversion.run(atTheEnd).exitCode == -1)
      let partial = folder.appending("out.kelter.partial")
      var bytes = try contents(partial)
      for place in [bytes.count / 3, bytes.count / 2] { bytes[place] ^= 4 }
      try writeFile(partial, bytes)
      let mended = try conversion.finish("damaged")
      #expect(mended.errors.contains("are damaged and made again"), "\(mended.errors)")

      // Without the partial file, the journal is worth nothing; without the journal, the file is
      // not.
      for name in ["out.kelter.partial", "out.kelter.journal"] {
        try conversion.clear()
        #expect(try conversion.run(atTheEnd).exitCode == -1)
        try FileManager.default.removeItem(atPath: folder.appending(name).string)
        try conversion.finish("without \(name)")
      }
    }
  }

  /// Begun by one processor with little memory and ended by another with more.
  @Test(arguments: [
    ("deepseek_v3_fp8", "int4-g32"), ("qwen3_moe", "nvfp4"), ("gpt_oss", "fp8-e4m3-tensor"),
    ("qwen3_5_moe", "int4-asym-g64"),
  ])
  func goesOnByOtherMeans(fixture: String, scheme: String) throws {
    try FaultTests.withShim { shim, folder in
      let arguments = [
        "convert", Fixtures.path(fixture).string, "-o", folder.appending("out.kelter").string,
        "--scheme", scheme, "--token-count", "16", "--quiet",
      ]
      let more = ["--threads", "7", "--memory-limit", "8GiB"]
      #expect(try CommandRun(arguments + more).exitCode == 0)
      let bytes = try contents(folder.appending("out.kelter"))
      let weights = try Self.weights(in: folder)
      #expect(weights.count > 3)
      try FileManager.default.removeItem(atPath: folder.appending("out.kelter").string)
      for (kernels, count) in [("portable", "30"), ("avx2", "12")] {
        let faults = ["SHIM_KILL_IN": "w", "SHIM_KILL_AT": count, "KELTER_KERNELS": kernels]
        let less = ["--threads", "1", "--memory-limit", "256MiB"]
        #expect(
          try CommandRun(arguments + less, environment: shim.environment(faults)).exitCode == -1)
        #expect(try names(in: folder).contains("out.kelter.journal"))
        let other = kernels == "avx2" ? "portable" : "avx2"
        let run = try CommandRun(arguments + more, environment: ["KELTER_KERNELS": other])
        #expect(run.exitCode == 0 && run.errors.isEmpty, "\(run.errors)")
        #expect(try contents(folder.appending("out.kelter")) == bytes)
        #expect(try Self.weights(in: folder) == weights)
        try FileManager.default.removeItem(atPath: folder.appending("out.kelter").string)
      }
    }
  }

  /// What a run leaves in the folder of the source is none of the source.
  @Test func besideTheSource() throws {
    try FaultTests.withShim { shim, folder in
      let source = try copyFixture("mixtral", to: folder)
      let arguments = FaultTests.convert("mixtral", in: source).map {
        $0 == Fixtures.path("mixtral").string ? source.string : $0
      }
      #expect(try CommandRun(arguments).exitCode == 0)
      let report = try contents(source.appending("out.report.json"))
      for name in DisturbedConversion.outputs {
        try FileManager.default.removeItem(atPath: source.appending(name).string)
      }
      for letter in ["w", "s"] {
        let faults = ["SHIM_KILL_IN": letter, "SHIM_KILL_AT": letter == "w" ? "20" : "0"]
        #expect(
          try CommandRun(arguments, environment: shim.environment(faults)).exitCode == -1)
      }
      #expect(try CommandRun(arguments).exitCode == 0)
      #expect(try contents(source.appending("out.report.json")) == report)
      #expect(!exists(source.appending("out.kelter.journal")))
    }
  }

  /// The figures of the weights in the report.
  static func weights(in folder: FilePath) throws -> [JSONValue] {
    let report = try JSONValue(
      parsing: contents(folder.appending("out.report.json")), file: "out.report.json")
    return report["weights"]?.array ?? []
  }

  /// A shard that is cut while it is read, and what `inspect` says of what is left.
  @Test func sourceThatIsCut() throws {
    try FaultTests.withShim { shim, folder in
      let source = try copyFixture("deepseek_v3_mtp", to: folder.removingLastComponent())
      let shard = source.appending("model-00001-of-00002.safetensors")
      let whole = try contents(shard)
      let arguments = BadSourceTests.convert(source, in: folder) + ["--threads", "1"]
      let run = try CommandRun(
        arguments,
        environment: shim.environment([
          "SHIM_CHANGE_AT": "20", "SHIM_CHANGE": shard.string,
          "SHIM_CUT": "\(whole.count / 2)",
        ]))
      #expect(run.exitCode == 65, "\(run.errors)")
      #expect(
        run.errors.contains("00001-of-00002.safetensors: has changed")
          || run.errors.contains("00001-of-00002.safetensors: truncated"), "\(run.errors)")
      #expect(try names(in: folder) == ["out.kelter.journal", "out.kelter.partial"])
      let partial = folder.appending("out.kelter.partial").string
      try expectFailure(
        65, naming: partial, "unfinished conversion to int4-g32", "goes on from here",
        of: ["inspect", partial])
      // Nor does another command write over it.
      let packed = folder.removingLastComponent().appending("tiny.zst").string
      #expect(
        try kelter("pack", Fixtures.path("container/tiny.kelter").string, "-o", packed).exitCode
          == 0)
      let output = folder.appending("out.kelter").string
      try expectFailure(
        73, naming: partial, "would be lost", of: ["unpack", packed, "-o", output, "--force"])
      // Whole again, but written anew.
      try writeFile(shard, whole)
      try expectFailure(
        65, naming: "the source file model-00001", "--restart", of: arguments)
      #expect(try CommandRun(arguments + ["--restart"]).exitCode == 0)
      #expect(try names(in: folder) == DisturbedConversion.outputs)
    }
  }
}
