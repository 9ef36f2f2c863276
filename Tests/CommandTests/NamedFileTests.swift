import Bytes
import FixtureSupport
import Foundation
import SystemPackage
import Testing

/// Files of one kind where another is wanted: one line that says what they are, and the cure.
@Suite struct NamedFileTests {
  /// Every command that reads a container, given this one.
  static func readingContainers(_ file: String, in folder: FilePath) -> [[String]] {
    let sound = Fixtures.path("container/tiny.kelter").string
    return [
      ["verify", file], ["verify", file, "--against", Fixtures.path("mixtral").string],
      ["diff", file, sound], ["diff", sound, file],
      ["export", file, "-o", folder.appending("hf").string, "--format", "bf16"],
      ["pack", file, "-o", folder.appending("packed.zst").string],
      ["unpack", file, "-o", folder.appending("unpacked.kelter").string],
      ["expert", file, "--layer", "0", "--expert", "0"],
    ]
  }

  /// Every command that reads a checkpoint, given this one.
  static func readingCheckpoints(_ file: String, in folder: FilePath) -> [[String]] {
    let sound = Fixtures.path("container/tiny.kelter").string
    return [
      ["plan", file, "--scheme", "keep"], ["plan", file, "--compare"], ["tensors", file],
      ["convert", file, "-o", folder.appending("other.kelter").string, "--scheme", "keep"],
      ["verify", sound, "--against", file],
    ]
  }

  static func expectRefusals(
    _ commands: [[String]], in folder: FilePath, naming parts: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = try names(in: folder)
    for command in commands {
      let run = try expectFailure(65, of: command, sourceLocation: sourceLocation)
      for part in parts {
        #expect(run.errors.contains(part), "\(command)", sourceLocation: sourceLocation)
      }
    }
    #expect(try names(in: folder) == before, sourceLocation: sourceLocation)
  }

  @Test func unfinishedConversions() throws {
    try FaultTests.withShim { shim, folder in
      let faults = ["SHIM_KILL_IN": "w", "SHIM_KILL_AT": "20"]
      let convert = FaultTests.convert("mixtral", in: folder)
      #expect(try CommandRun(convert, environment: shim.environment(faults)).exitCode == -1)
      let output = folder.appending("out.kelter").string
      for (ending, text) in [
        ("partial", "an unfinished conversion to int4-g32, not a .kelter file yet"),
        ("journal", "the journal of an unfinished conversion to int4-g32"),
      ] {
        let file = "\(output).\(ending)"
        try Self.expectRefusals(
          [["inspect", file]] + Self.readingContainers(file, in: folder)
            + Self.readingCheckpoints(file, in: folder),
          in: folder, naming: "\(file): \(text)", "`kelter convert` that began it goes on")
        // Nor is it overwritten, by no name and no option.
        let before = try contents(FilePath(file))
        for command in [
          ["convert", Fixtures.path("mixtral").string, "--scheme", "keep", "-o", file, "--force"],
          ["pack", Fixtures.path("container/tiny.kelter").string, "-o", file, "--force"],
        ] {
          try expectFailure(73, naming: file, "would be lost", of: command)
        }
        #expect(try contents(FilePath(file)) == before)
      }
      #expect(try CommandRun(convert).exitCode == 0)
    }
  }

  /// What packing and unpacking leave that are killed: neither a container nor anything else.
  @Test(arguments: ["pack", "unpack"])
  func killedPacking(command: String) throws {
    try FaultTests.withShim { shim, folder in
      let archive = folder.appending("in.kelter.zst").string
      let source = Fixtures.path("container/tiny.kelter").string
      #expect(try kelter("pack", source, "-o", archive).exitCode == 0)
      let output = folder.appending(command == "pack" ? "out.kelter.zst" : "out.kelter").string
      let arguments = [command, command == "pack" ? source : archive, "-o", output]
      // At the first write, so that the partial file is empty, and later.
      for count in [0, 3] {
        let faults = ["SHIM_KILL_IN": "w", "SHIM_KILL_AT": "\(count)"]
        #expect(try CommandRun(arguments, environment: shim.environment(faults)).exitCode == -1)
        let file = output + ".partial"
        try Self.expectRefusals(
          [["inspect", file]] + Self.readingContainers(file, in: folder)
            + Self.readingCheckpoints(file, in: folder),
          in: folder, naming: "\(file): was left by a run that was killed", "the same command")
      }
      #expect(try CommandRun(arguments).exitCode == 0)
      #expect(!exists(FilePath(output + ".partial")))
    }
  }

  @Test func containersForCheckpoints() throws {
    try PackTests.withContainer { path, folder in
      #expect(try kelter("pack", path.string).exitCode == 0)
      for file in [path.string, path.string + ".zst"] {
        try Self.expectRefusals(
          Self.readingCheckpoints(file, in: folder), in: folder,
          naming: "\(file): is a .kelter file", "kelter export")
      }
    }
  }

  @Test func foldersForContainers() throws {
    try withTemporaryFolder { folder in
      let file = Fixtures.path("mixtral").string
      try Self.expectRefusals(
        Self.readingContainers(file, in: folder), in: folder,
        naming: "\(file): is a folder", "kelter convert")
    }
  }

  /// Named as containers, and none.
  @Test(arguments: ["empty.kelter", "empty.kelter.zst"])
  func emptyContainers(name: String) throws {
    try withTemporaryFolder { folder in
      try writeFile(name, in: folder, [])
      let file = folder.appending(name).string
      try Self.expectRefusals(
        [["inspect", file]] + Self.readingContainers(file, in: folder), in: folder,
        naming: "\(file): not a .kelter file")
    }
  }

  /// An archive's experts cannot be mapped.
  @Test func expertsOfArchives() throws {
    try PackTests.withContainer { path, _ in
      #expect(try kelter("pack", path.string).exitCode == 0)
      try expectFailure(
        64, naming: "is packed", "`kelter unpack` it first",
        of: ["expert", path.string + ".zst", "--layer", "0", "--expert", "0"])
    }
  }

  /// What no packing can have left is not written over.
  @Test func foreignPartialFiles() throws {
    try PackTests.withContainer { path, folder in
      let archive = path.string + ".zst"
      let foreign = Array("somebody's notes".utf8)
      try writeFile(FilePath(archive + ".partial"), foreign)
      try expectFailure(
        73, naming: archive + ".partial", "move it away", of: ["pack", path.string])
      #expect(try contents(FilePath(archive + ".partial")) == foreign)
      try FileManager.default.removeItem(atPath: archive + ".partial")
      #expect(try kelter("pack", path.string).exitCode == 0)
      let unpacked = folder.appending("back.kelter").string
      try writeFile(FilePath(unpacked + ".partial"), foreign)
      try expectFailure(
        73, naming: unpacked + ".partial", "move it away", of: ["unpack", archive, "-o", unpacked])
      #expect(try contents(FilePath(unpacked + ".partial")) == foreign)
      // What a killed run has left is: zeros, or the beginning of an archive.
      try writeFile(FilePath(unpacked + ".partial"), [UInt8](repeating: 0, count: 100))
      #expect(try kelter("unpack", archive, "-o", unpacked).exitCode == 0)
      try writeFile(FilePath(archive + ".partial"), contents(FilePath(archive)).dropLast(1000))
      #expect(try kelter("pack", path.string, "--force").exitCode == 0)
    }
  }

  /// Recipes and budgets that are anything but text: a short line.
  @Test(arguments: [("plan", "--recipe"), ("convert", "--budget")])
  func filesThatAreNoText(command: String, option: String) throws {
    try withTemporaryFolder { folder in
      let file = folder.appending("rules.yaml").string
      let more = command == "convert" ? ["-o", folder.appending("out.kelter").string] : []
      for bytes in [
        [UInt8](repeating: 0, count: 100_000), Array(repeating: UInt8(ascii: "["), count: 100_000),
        [UInt8](repeating: 0, count: 2 << 20), try contents(Fixtures.path("container/tiny.kelter")),
      ] {
        try writeFile(FilePath(file), bytes)
        let run = try expectFailure(
          64, naming: file,
          of: [command, Fixtures.path("mixtral").string, "--scheme", "keep", option, file] + more)
        #expect(run.errors.utf8.count < 3000)
      }
      #expect(try names(in: folder) == ["rules.yaml"])
    }
  }
}
