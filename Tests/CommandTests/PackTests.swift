import Bytes
import FixtureSupport
import Foundation
import SystemPackage
import Testing

/// `kelter pack` and `kelter unpack`, and the commands that read archives.
@Suite struct PackTests {
  static func withContainer(_ body: (_ path: FilePath, _ folder: FilePath) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("out.kelter")
      try writeFile(path, contents(Fixtures.path("container/tiny.kelter")))
      try body(path, folder)
    }
  }

  @Test func packsTheSameBytesOnAnyNumberOfThreadsAndBack() throws {
    try Self.withContainer { path, folder in
      let archive = folder.appending("out.kelter.zst")
      var packed: [UInt8] = []
      for threads in ["1", "2", "7"] {
        let document = try DocumentTests.document(
          "archive", ["pack", path.string, "--threads", threads, "--force"])
        let bytes = try contents(archive)
        #expect(document["packed_bytes"] == .integer(bytes.count))
        if !packed.isEmpty { #expect(bytes == packed) }
        packed = bytes
      }
      for threads in ["1", "2", "7"] {
        try DocumentTests.document(
          "archive",
          [
            "unpack", archive.string, "-o", folder.appending("back\(threads)").string, "--threads",
            threads,
          ])
        #expect(try contents(folder.appending("back\(threads)")) == contents(path))
      }
      // Without -o it has the archive's name without .zst.
      try FileManager.default.removeItem(atPath: path.string)
      #expect(try kelter("unpack", archive.string, "--quiet").exitCode == 0)
      #expect(try contents(path) == contents(Fixtures.path("container/tiny.kelter")))
    }
  }

  /// A converted model: extents of several frames, and what every command says of the archive.
  @Test func otherCommandsReadArchives() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("out.kelter").string
      let source = Fixtures.path("trained").string
      let converted = try kelter(
        "convert", source, "-o", path, "--scheme", "int4-g128", "--no-gate", "--search", "absmax")
      #expect(converted.exitCode == 0, "\(converted.errors)")
      let archive = path + ".zst"
      #expect(try kelter("pack", path, "--level", "3").exitCode == 0)
      #expect(try contents(FilePath(archive)).count < contents(FilePath(path)).count * 9 / 10)
      let verified = try DocumentTests.document("verify", ["verify", archive])
      #expect(verified["sound"] == .bool(true))
      let inspected = try DocumentTests.document("inspect", ["inspect", archive])
      let before = try DocumentTests.document("inspect", ["inspect", path])
      for key in ["family", "layers", "encodings", "roles", "tensors", "side_files"] {
        #expect(inspected[key] == before[key], "\(key)")
      }
      #expect(try kelter("diff", path, archive).output.hasPrefix("0 better, 0 worse,"))
      let measured = try kelter(
        "verify", archive, "--against", source, "--token-count", "16", "--json")
      let unpacked = try kelter(
        "verify", path, "--against", source, "--token-count", "16", "--json")
      #expect(measured.exitCode == 0, "\(measured.errors)")
      #expect(measured.output.replacing(".zst", with: "") == unpacked.output)
      for (file, name) in [(path, "a"), (archive, "b")] {
        #expect(
          try kelter(
            "export", file, "-o", folder.appending(name).string, "--format", "bf16"
          ).exitCode == 0)
      }
      for name in try names(in: folder.appending("a")) {
        #expect(
          try contents(folder.appending("a").appending(name))
            == contents(folder.appending("b").appending(name)))
      }
    }
  }

  /// Stock zstd, where it is installed.
  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/zstd")))
  func zstdRestoresTheFile() throws {
    try Self.withContainer { path, folder in
      #expect(try kelter("pack", path.string).exitCode == 0)
      let restored = folder.appending("restored")
      let zstd = try Process.run(
        URL(filePath: "/usr/bin/zstd"),
        arguments: ["-dq", path.string + ".zst", "-o", restored.string])
      zstd.waitUntilExit()
      #expect(zstd.terminationStatus == 0)
      #expect(try contents(restored) == contents(path))
    }
  }

  @Test func usage() throws {
    try Self.withContainer { path, folder in
      try expectFailure(64, naming: "1 to 19", of: ["pack", path.string, "--level", "0"])
      try expectFailure(64, naming: "threads", of: ["pack", path.string, "--threads", "0"])
      try expectFailure(64, naming: ".zst", "-o", of: ["unpack", path.string])
      try expectFailure(66, naming: "no such", of: ["pack", folder.appending("none").string])
      try expectFailure(65, naming: "not packed", of: ["unpack", path.string, "-o", "/tmp/none"])
      #expect(try kelter("pack", path.string).exitCode == 0)
      let archive = path.string + ".zst"
      try expectFailure(73, naming: archive, "exists already", of: ["pack", path.string])
      try expectFailure(73, naming: path.string, "exists already", of: ["unpack", archive])
      try expectFailure(65, naming: "packed already", "unpack", of: ["pack", archive])
      try expectFailure(
        73, naming: "belongs to the source",
        of: ["pack", path.string, "-o", path.string, "--force"])
      try expectFailure(
        73, naming: "belongs to the source", of: ["unpack", archive, "-o", archive, "--force"])
      #expect(try names(in: folder) == ["out.kelter", "out.kelter.zst"])
    }
  }

  /// Damage is refused by frame, or by the container's checksums, and nothing is published.
  @Test func damage() throws {
    try Self.withContainer { path, folder in
      let archive = folder.appending("out.kelter.zst")
      #expect(try kelter("pack", path.string).exitCode == 0)
      let packed = try contents(archive)
      let restored = folder.appending("restored").string
      var changed = packed
      changed[packed.count / 2] ^= 1
      try writeFile(archive, changed)
      for command in [["unpack", archive.string, "-o", restored], ["verify", archive.string]] {
        try expectFailure(65, naming: "frame ", " at byte ", "fetch it again", of: command)
      }
      try writeFile(archive, Array(packed[..<(packed.count / 2)]))
      for command in [
        ["unpack", archive.string, "-o", restored], ["verify", archive.string],
        ["inspect", archive.string],
      ] {
        try expectFailure(65, naming: "frame ", "ends within it", of: command)
      }
      // The size of the second frame's contents in the seek table, whose entries have 12 bytes.
      let count = try #require(packed.littleEndian(at: packed.count - 9, as: UInt32.self))
      var lie = packed
      lie[packed.count - 9 - 12 * Int(count) + 12 + 6] += 1
      try writeFile(archive, lie)
      for command in [["verify", archive.string], ["unpack", archive.string, "-o", restored]] {
        try expectFailure(65, naming: "seek table", "frames hold", "zstd -d", of: command)
      }
      // A container that was damaged before it was packed, by whomever.
      var container = try contents(path)
      container[0x8000] ^= 1
      try writeFile(path, container)
      try expectFailure(65, naming: "checksum", of: ["pack", path.string, "--force"])
      let frame = try PackedFrame(container.rawSpan, level: 1)
      let file = try AtomicFile(path: archive, replacing: true)
      var writer = ArchiveWriter(file: file)
      try writer.append(frame)
      _ = try writer.finish()
      try file.publish()
      try expectFailure(
        65, naming: "checksum", of: ["unpack", archive.string, "-o", restored])
      #expect(try names(in: folder) == ["out.kelter", "out.kelter.zst"])
    }
  }

  /// Signals and full disks leave nothing behind.
  @Test func faults() throws {
    try FaultTests.withShim { shim, folder in
      let path = Fixtures.path("container/tiny.kelter").string
      let archive = folder.appending("out.kelter.zst").string
      let pack = ["pack", path, "-o", archive, "--threads", "1"]
      for count in [0, 3, 8] {
        try expectFailure(
          130, naming: "interrupted", of: pack,
          environment: shim.environment([
            "SHIM_SIGNAL": "\(SIGTERM)", "SHIM_SIGNAL_AT": "\(count)",
          ]))
        try expectFailure(
          74, naming: "No space left", of: pack,
          environment: shim.environment(["SHIM_ENOSPC": "\(count)"]))
        #expect(try names(in: folder) == [], "at write \(count)")
      }
      #expect(try CommandRun(pack).exitCode == 0)
      let unpack = [
        "unpack", archive, "-o", folder.appending("out.kelter").string, "--threads", "2",
      ]
      for count in [0, 3, 8] {
        try expectFailure(
          130, naming: "interrupted", of: unpack,
          environment: shim.environment([
            "SHIM_SIGNAL": "\(SIGINT)", "SHIM_SIGNAL_AT": "\(count)",
          ]))
        try expectFailure(
          74, naming: "No space left", of: unpack,
          environment: shim.environment(["SHIM_ENOSPC": "\(count)"]))
        #expect(try names(in: folder) == ["out.kelter.zst"], "at write \(count)")
      }
      try expectFailure(
        74, naming: "Input/output error", of: unpack,
        environment: shim.environment(["SHIM_FSYNC": "0"]))
      #expect(try names(in: folder) == ["out.kelter.zst"])
    }
  }
}
