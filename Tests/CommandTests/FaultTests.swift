import FixtureSupport
import Foundation
import SystemPackage
import Testing

/// Disks that are full or fail, and signals: nothing appears under the final name, and nothing else
/// stays behind.
@Suite struct FaultTests {
  /// Runs `body` with a library that makes faults, and a folder for the outputs.
  static func withShim(_ body: (FaultShim, FilePath) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let outputs = folder.appending("outputs")
      try FileManager.default.createDirectory(
        atPath: outputs.string, withIntermediateDirectories: false)
      try body(try FaultShim(in: folder), outputs)
    }
  }

  /// - Parameter tokenCount: nil without the gate.
  static func convert(
    _ fixture: String, in folder: FilePath, tokenCount: Int? = 16, _ more: String...
  ) -> [String] {
    BadSourceTests.convert(Fixtures.path(fixture), in: folder) + ["--search", "absmax"]
      + (tokenCount.map { ["--token-count", "\($0)"] } ?? []) + more
  }

  /// The disk is full at the n-th write, to the last ones: the report's and those of the index.
  @Test func fullDisk() throws {
    try Self.withShim { shim, folder in
      let conversion = try DisturbedConversion("deepseek_v3_mtp", shim: shim, in: folder, [])
      let count = conversion.events.count { $0 == "w" }
      for number in [0, 1, 2, 5, 20, 40, count - 12, count - 3, count - 2, count - 1] {
        try expectFailure(
          74, naming: "out.", "No space left", of: conversion.arguments,
          environment: shim.environment(["SHIM_ENOSPC": "\(number)"]))
        try conversion.expectNothingHalf("at write \(number)")
        if number == 0 { #expect(try names(in: folder) == []) }
        try conversion.finish("at write \(number)")
        try conversion.clear()
      }
    }
  }

  /// `ulimit -f` counts KiB in bash.
  @Test func largestFile() throws {
    try withTemporaryFolder { folder in
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments =
        ["bash", "-c", "ulimit -f 512; exec \"$@\"", "bash", CommandRun.binary.path]
        + Self.convert("mixtral", in: folder)
      let errors = Pipe()
      process.standardError = errors
      try process.run()
      process.waitUntilExit()
      #expect(process.terminationReason == .exit && process.terminationStatus == 74)
      let line = String(decoding: errors.fileHandleForReading.availableData, as: UTF8.self)
      #expect(line.contains("out.kelter.partial: ") && line.contains("File too large"), "\(line)")
      #expect(!exists(folder.appending("out.kelter")))
    }
  }

  /// The n-th read fails: of a header, of a weight.
  @Test func failingDisk() throws {
    try Self.withShim { shim, folder in
      let conversion = try DisturbedConversion("deepseek_v3_mtp", shim: shim, in: folder, [])
      for count in [0, 3, 10, 50, 120] {
        try expectFailure(
          74, naming: Fixtures.path("deepseek_v3_mtp").string, "Input/output error",
          of: conversion.arguments, environment: shim.environment(["SHIM_EIO": "\(count)"]))
        try conversion.expectNothingHalf("at read \(count)")
        try conversion.finish("at read \(count)")
        try conversion.clear()
      }
    }
  }

  /// What cannot be forced to the disk is not published.
  @Test func failingSync() throws {
    try Self.withShim { shim, folder in
      let conversion = try DisturbedConversion("mixtral", shim: shim, in: folder, [])
      try expectFailure(
        74, naming: "out.kelter", "Input/output error", "goes on from there",
        of: conversion.arguments, environment: shim.environment(["SHIM_FSYNC": "0"]))
      #expect(try names(in: folder) == ["out.kelter.journal", "out.kelter.partial"])
      try conversion.finish("after a failing sync")
    }
  }

  @Test(arguments: ["convert", "export"])
  func tooLittleRoom(command: String) throws {
    try Self.withShim { shim, folder in
      let environment = shim.environment(["SHIM_FREE_BYTES": "100000"])
      if command == "convert" {
        try expectFailure(
          73, naming: folder.string, "100.0 kB are free", of: Self.convert("mixtral", in: folder),
          environment: environment)
        #expect(try names(in: folder) == [])
        return
      }
      #expect(try CommandRun(Self.convert("mixtral", in: folder)).exitCode == 0)
      let before = try names(in: folder)
      try expectFailure(
        73, naming: folder.string, "100.0 kB are free",
        of: [
          "export", folder.appending("out.kelter").string, "-o", folder.appending("hf").string,
          "--format", "f32",
        ], environment: environment)
      #expect(try names(in: folder) == before)
    }
  }

  /// A run that goes on asks before it reads or writes anything, and keeps what is there.
  @Test func tooLittleRoomToGoOn() throws {
    try Self.withShim { shim, folder in
      let conversion = try DisturbedConversion("mixtral", shim: shim, in: folder, [])
      #expect(try conversion.run(["SHIM_KILL_IN": "w", "SHIM_KILL_AT": "20"]).exitCode == -1)
      try expectFailure(
        73, naming: folder.string, "1 B are free", "goes on from there",
        of: conversion.arguments,
        environment: shim.environment(["SHIM_FREE_BYTES": "1", "SHIM_ENOSPC": "0"]))
      try conversion.finish("with room")
    }
  }

  /// `plan` tells the room where `convert` would write, and refuses an output that does not fit.
  @Test func plannedRoom() throws {
    try Self.withShim { shim, folder in
      let environment = shim.environment(["SHIM_FREE_BYTES": "100000"])
      let source = Fixtures.path("mixtral").string
      let plan = ["plan", source, "--scheme", "int4-g64"]
      let output = folder.appending("out.kelter").string

      try expectFailure(
        73, naming: folder.string, "100.0 kB are free", of: plan + ["-o", output],
        environment: environment)
      try expectFailure(
        73, naming: "/no/such", "make it first", of: plan + ["-o", "/no/such/out.kelter"])
      let elsewhere = try CommandRun(plan, environment: environment)
      #expect(elsewhere.exitCode == 0)
      #expect(elsewhere.output.contains("100.0 kB are free in the present folder: too little\n"))

      let run = try CommandRun(plan + ["-o", output, "--json"], environment: shim.environment([:]))
      let document = try JSONDecoder().decode(Planned.self, from: Data(run.output.utf8))
      #expect(document.room.folder == folder.string)
      #expect(document.room.free_bytes > document.output_bytes)
      #expect(document.room.needed_bytes == document.output_bytes)
      #expect(try names(in: folder) == [])

      // What a former run has written is not needed again.
      let written = [UInt8](repeating: 1, count: 1 << 16)
      try Data(written).write(to: URL(filePath: output + ".partial"))
      let rest = try CommandRun(plan + ["-o", output, "--json"])
      let later = try JSONDecoder().decode(Planned.self, from: Data(rest.output.utf8))
      #expect(later.room.needed_bytes < later.output_bytes)

      // An output without a name has no former run, whatever lies in the present folder.
      try Data(written).write(to: URL(filePath: folder.appending("output.partial").string))
      let unnamed = try CommandRun(plan + ["--json"], folder: folder)
      let whole = try JSONDecoder().decode(Planned.self, from: Data(unnamed.output.utf8))
      #expect(whole.room.needed_bytes == whole.output_bytes)
    }
  }

  private struct Planned: Decodable {
    struct Room: Decodable {
      var folder: String
      var free_bytes: Int
      var needed_bytes: Int
    }
    var output_bytes: Int
    var room: Room
  }

  @Test func exportToAFullOrFailingDisk() throws {
    try Self.withShim { shim, folder in
      #expect(try CommandRun(Self.convert("mixtral", in: folder)).exitCode == 0)
      let before = try names(in: folder)
      let arguments = [
        "export", folder.appending("out.kelter").string, "-o", folder.appending("hf").string,
        "--format", "bf16",
      ]
      for (fault, count, reason) in [
        ("SHIM_ENOSPC", 0, "No space left"), ("SHIM_ENOSPC", 20, "No space left"),
        ("SHIM_EIO", 20, "Input/output error"), ("SHIM_FSYNC", 0, "Input/output error"),
      ] {
        try expectFailure(
          74, naming: reason, of: arguments, environment: shim.environment([fault: "\(count)"]))
        #expect(try names(in: folder) == before, "\(fault) \(count)")
      }
    }
  }

  /// A signal at the n-th write.
  @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
  func interruption(signal: Int32) throws {
    try Self.withShim { shim, folder in
      let conversion = try DisturbedConversion("deepseek_v3_mtp", shim: shim, in: folder, [])
      for count in [0, 5, 20] {
        try expectFailure(
          130, naming: "interrupted", of: conversion.arguments,
          environment: shim.environment([
            "SHIM_SIGNAL": "\(signal)", "SHIM_SIGNAL_AT": "\(count)",
          ]))
        try conversion.expectNothingHalf("at write \(count)")
        #expect(try names(in: folder).isEmpty == (count == 0))
        try conversion.finish("at write \(count)")
        try conversion.clear()
      }
    }
  }
}

/// Signals to commands that keep nothing, and to those that have nothing to keep yet.
@Suite struct SignalTests {
  @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
  func whileReading(signal: Int32) throws {
    try FaultTests.withShim { shim, folder in
      let source = Fixtures.path("mixtral").string
      let container = Fixtures.path("container/tiny.kelter").string
      for arguments in [
        ["inspect", source], ["plan", source, "--scheme", "keep"], ["verify", container],
        ["tensors", source, "--checksums"], FaultTests.convert("mixtral", in: folder),
      ] {
        let run = try expectFailure(
          130, naming: "interrupted", of: arguments,
          environment: shim.environment(["SHIM_SIGNAL": "\(signal)", "SHIM_SIGNAL_AT_READ": "1"]))
        #expect(run.output.isEmpty)
      }
      #expect(try names(in: folder) == [])
    }
  }

  /// A report that was begun is cleared away, from the first check to the last layer.
  @Test func whileVerifying() throws {
    try FaultTests.withShim { shim, folder in
      let source = Fixtures.path("mixtral").string
      let container = folder.removingLastComponent().appending("in.kelter").string
      let run = try kelter("convert", source, "-o", container, "--scheme", "keep", "--no-gate")
      #expect(run.exitCode == 0, "\(run.errors)")
      let verify = [
        "verify", container, "--against", source, "--token-count", "16", "--report",
        folder.appending("report.json").string,
      ]
      for count in [0, 10, 20, 40, 60] {
        try expectFailure(
          130, naming: "interrupted", of: verify,
          environment: shim.environment([
            "SHIM_SIGNAL": "\(SIGINT)", "SHIM_SIGNAL_AT_READ": "\(count)",
          ]))
        #expect(try names(in: folder) == [], "at read \(count)")
      }
    }
  }

  /// A run under `nohup`, which ignores SIGHUP, outlives its terminal; SIGTERM still stops it.
  @Test(arguments: ["SHIM_SIGNAL_AT", "SHIM_SIGNAL_AT_READ"])
  func underNohup(place: String) throws {
    try FaultTests.withShim { shim, folder in
      for (signal, exitCode) in [(SIGHUP, 0), (SIGTERM, 130)] as [(Int32, Int32)] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
          ["nohup", CommandRun.binary.path] + FaultTests.convert("mixtral", in: folder)
          + ["--force"]
        process.environment = ProcessInfo.processInfo.environment.merging(
          shim.environment(["SHIM_SIGNAL": "\(signal)", place: "2"])
        ) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == exitCode, "signal \(signal)")
      }
    }
  }
}

/// Outputs that cannot be.
@Suite struct OutputPlaceTests {
  @Test func existsAlready() throws {
    try withTemporaryFolder { folder in
      let arguments = FaultTests.convert("mixtral", in: folder)
      let output = folder.appending("out.kelter")
      try writeFile(output, [1, 2, 3])
      try expectFailure(73, naming: output.string, "exists already", of: arguments)
      #expect(try contents(output) == [1, 2, 3])
      #expect(try names(in: folder) == ["out.kelter"])
      #expect(try CommandRun(arguments + ["--force"]).exitCode == 0)
      #expect(try contents(output).count > 100_000)
      #expect(try names(in: folder) == ["out.kelter", "out.report.json"])
    }
  }

  /// Not even `--force` replaces what is being read, by whatever path.
  @Test(arguments: ["model.safetensors", "../changed/config.json"])
  func isAFileOfTheSource(name: String) throws {
    try withTemporaryFolder { folder in
      let source = try changeTensors(of: "mixtral", to: folder) { _ in }
      let output = source.string + "/" + name
      let before = try contents(FilePath(output))
      try expectFailure(
        73, naming: output, "belongs to the source",
        of: [
          "convert", source.string, "-o", output, "--scheme", "int4-g32", "--force", "--no-gate",
        ])
      #expect(try contents(FilePath(output)) == before)
    }
  }

  /// A failed run with `--force` leaves the old file alone.
  @Test func staysWhereItsReplacementFails() throws {
    try withTemporaryFolder { folder in
      let output = folder.appending("out.kelter")
      try writeFile(output, [1, 2, 3])
      try writeFile("b.yaml", in: folder, Array("weights: {relative_error: 0.001}".utf8))
      let run = try CommandRun(
        FaultTests.convert(
          "mixtral", in: folder, "--force", "--budget", folder.appending("b.yaml").string))
      #expect(run.exitCode == 1)
      #expect(try contents(output) == [1, 2, 3])
    }
  }

  @Test func cannotBeCreated() throws {
    try withTemporaryFolder { folder in
      try writeFile("file", in: folder, [])
      for place in [
        "file/out.kelter", "file/below/out.kelter", "missing/out.kelter",
        "missing/below/out.kelter",
      ] {
        let path = folder.appending(place).string
        try expectFailure(
          73, naming: path, "cannot be created",
          of: [
            "convert", Fixtures.path("mixtral").string, "--scheme", "int4-g32", "-o", path,
          ])
      }
      try FileManager.default.createDirectory(
        atPath: folder.appending("taken.kelter").string, withIntermediateDirectories: false)
      try expectFailure(
        73, naming: "taken.kelter",
        of: [
          "convert", Fixtures.path("mixtral").string, "--scheme", "int4-g32", "--force", "-o",
          folder.appending("taken.kelter").string,
        ])
      #expect(try names(in: folder) == ["file", "taken.kelter"])
    }
  }

  /// Nothing can be created in /proc, not even by root.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self/stat")))
  func readOnlyPlace() throws {
    try expectFailure(
      73, naming: "/proc",
      of: [
        "convert", Fixtures.path("mixtral").string, "--scheme", "int4-g32", "-o",
        "/proc/out.kelter",
      ])
  }

  @Test func exportedFolders() throws {
    try withTemporaryFolder { folder in
      #expect(try CommandRun(FaultTests.convert("mixtral", in: folder)).exitCode == 0)
      let output = folder.appending("out.kelter").string
      for place in ["out.kelter", "out.kelter/hf", "missing/hf"] {
        let path = folder.appending(place).string
        try expectFailure(
          73, naming: path, of: ["export", output, "-o", path, "--format", "f32"])
      }
      #expect(try names(in: folder) == ["out.kelter", "out.report.json"])
    }
  }
}
