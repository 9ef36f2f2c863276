import Bytes
import FixtureSupport
import SystemPackage
import Testing

struct FileTests {
  @Test func readsRanges() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("data")
      try writeFile(path, [1, 2, 3, 4, 5])
      let file = try File(path: path)
      #expect(file.byteCount == 5)
      #expect(try file.bytes(in: 1..<4) == [2, 3, 4])
      #expect(try file.bytes(in: 5..<5) == [])
      #expect(try file.allBytes() == [1, 2, 3, 4, 5])
      let mapping = try FileMapping(path: path)
      // Computed outside of #expect, whose expansion cannot hold a span.
      let inside = mapping.bytes.littleEndian(at: 1, as: UInt32.self)
      let across = mapping.bytes.littleEndian(at: 2, as: UInt32.self)
      let before = mapping.bytes.littleEndian(at: -1, as: UInt8.self)
      #expect(mapping.byteCount == 5)
      #expect(inside == 0x0504_0302)
      #expect(across == nil)
      #expect(before == nil)
    }
  }

  @Test func namesTheByteOfATruncation() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("data")
      try writeFile(path, [1, 2, 3, 4, 5])
      let file = try File(path: path)
      try writeFile(path, [1, 2])
      let error = #expect(throws: BytesError.self) { try file.bytes(in: 1..<5) }
      guard case .truncated(path, 1, 4, 2) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(error?.kind == .invalidInput)
      #expect(throws: BytesError.self) { try file.bytes(in: 4..<6) }
    }
  }

  @Test func emptyFilesMap() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("data")
      try writeFile(path, [])
      let mapping = try FileMapping(path: path)
      let byteCount = mapping.bytes.byteCount
      #expect(byteCount == 0)
    }
  }

  @Test func refusesWhatIsNoFile() throws {
    try withTemporaryFolder { folder in
      let missing = #expect(throws: BytesError.self) { try File(path: folder.appending("no")) }
      #expect(missing?.kind == .notFound)
      let directory = #expect(throws: BytesError.self) { try File(path: folder) }
      #expect(directory?.kind == .invalidInput)
      #expect(directory?.description.contains(folder.string) == true)
    }
  }

  @Test func tellsFreeSpace() throws {
    #expect(try FreeSpace.byteCount(of: "/tmp") > 0)
    let error = #expect(throws: BytesError.self) { try FreeSpace.byteCount(of: "/no/such/folder") }
    #expect(error?.kind == .notFound)
  }
}
