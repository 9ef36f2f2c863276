import Bytes
import FixtureSupport
import Foundation
import SystemPackage
import Testing

struct AtomicFileTests {
  @Test func appearsOnPublish() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("out")
      let file = try AtomicFile(path: path, replacing: false)
      try file.write(([4, 5, 6] as [UInt8]).rawSpan, at: 3)
      try file.write(([1, 2, 3] as [UInt8]).rawSpan, at: 0)
      try file.setByteCount(7)
      var back = [UInt8](repeating: 9, count: 4)
      var span = back.mutableRawSpan
      try file.read(at: 3, into: &span)
      #expect(back == [4, 5, 6, 0])
      #expect(!exists(path) && exists(file.partialPath))
      #expect(file.partialPath.string == path.string + ".partial")
      try file.publish()
      #expect(try contents(path) == [1, 2, 3, 4, 5, 6, 0])
      #expect(!exists(file.partialPath))
      file.discard()
      #expect(exists(path))
    }
  }

  @Test func disappearsWhenDiscardedOrDropped() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("out")
      do {
        let file = try AtomicFile(path: path, replacing: false)
        file.discard()
        file.discard()
        #expect(!exists(file.partialPath))
      }
      do { _ = try AtomicFile(path: path, replacing: false) }
      #expect(!exists(folder.appending("out.partial")) && !exists(path))
    }
  }

  @Test func refusesAnExistingName() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("out")
      try writeFile(path, [7])
      let error = #expect(throws: BytesError.self) {
        try AtomicFile(path: path, replacing: false)
      }
      #expect(error?.kind == .cannotCreate)
      #expect(try contents(path) == [7])
      let file = try AtomicFile(path: path, replacing: true)
      try file.write(([8] as [UInt8]).rawSpan, at: 0)
      #expect(try contents(path) == [7])
      try file.publish()
      #expect(try contents(path) == [8])
    }
  }

  /// Not even with `replacing`: as root, /dev/null would be gone.
  @Test func replacesNoDeviceOrPipe() throws {
    try withTemporaryFolder { folder in
      let pipe = folder.appending("pipe")
      let outcome = unsafe mkfifo(pipe.string, 0o600)
      #expect(outcome == 0)
      for replacing in [false, true] {
        let error = #expect(throws: BytesError.self) {
          try AtomicFile(path: pipe, replacing: replacing)
        }
        #expect(error?.description == "\(pipe): cannot be created: Operation not permitted")
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.string) == ["pipe"])
      let link = folder.appending("link")
      try FileManager.default.createSymbolicLink(
        atPath: link.string, withDestinationPath: pipe.string)
      try AtomicFile(path: link, replacing: true).publish()
      #expect(try contents(link) == [])
    }
  }

  @Test func leavesANameAloneThatWasTakenMeanwhile() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("out")
      let file = try AtomicFile(path: path, replacing: false)
      try writeFile(path, [7])
      let error = #expect(throws: BytesError.self) { try file.publish() }
      #expect(error?.kind == .cannotCreate)
      #expect(try contents(path) == [7])
      file.discard()
      #expect(!exists(file.partialPath))
    }
  }

  @Test func refusesASecondRunAndReplacesALeftover() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("out")
      try writeFile(folder.appending("out.partial"), [1, 2, 3])
      let file = try AtomicFile(path: path, replacing: false)
      let error = #expect(throws: BytesError.self) {
        try AtomicFile(path: path, replacing: true)
      }
      guard case .beingWritten = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(error?.kind == .cannotCreate)
      try file.publish()
      #expect(try contents(path) == [])
    }
  }

  @Test func isKeptAndAdopted() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("out")
      do {
        let file = try AtomicFile(path: path, replacing: false, adopting: true)
        #expect(!file.isAdopted)
        try file.write(([1, 2, 3] as [UInt8]).rawSpan, at: 0)
        file.keep()
        file.discard()
      }
      #expect(try contents(AtomicFile.partialPath(of: path)) == [1, 2, 3])
      do {
        let file = try AtomicFile(path: path, replacing: false, adopting: true)
        #expect(file.isAdopted)
        #expect(throws: BytesError.self) {
          try AtomicFile(path: path, replacing: false, adopting: true)
        }
        try file.write(([4] as [UInt8]).rawSpan, at: 1)
        try file.publish()
      }
      #expect(try contents(path) == [1, 4, 3])
    }
  }

  /// As after a kill between the two steps of publishing.
  @Test func neverAdoptsASecondNameOfAPublishedFile() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("out")
      try writeFile(path, [7])
      let partial = AtomicFile.partialPath(of: path)
      try FileManager.default.linkItem(atPath: path.string, toPath: partial.string)
      let file = try AtomicFile(path: path, replacing: true, adopting: true)
      #expect(!file.isAdopted)
      try file.write(([8, 9] as [UInt8]).rawSpan, at: 0)
      #expect(try contents(path) == [7])
    }
  }

  @Test func cannotBeCreatedWithoutAFolder() throws {
    try withTemporaryFolder { folder in
      let error = #expect(throws: BytesError.self) {
        try AtomicFile(path: folder.appending("no").appending("out"), replacing: false)
      }
      #expect(error?.kind == .cannotCreate)
      let taken = #expect(throws: BytesError.self) { try AtomicFile(path: folder, replacing: true) }
      #expect(taken?.kind == .cannotCreate)
    }
  }

  /// /dev/full accepts no byte, but is no regular file; a limit on the file size is as good.
  @Test func aDiskThatFailsIsAnInputOutputError() {
    let error = BytesError.writeFailed(path: "x", byteOffset: 5, .noSpace)
    #expect(error.kind == .inputOutput)
    #expect(error.description.hasPrefix("x: writing at byte 5 failed:"))
  }
}
