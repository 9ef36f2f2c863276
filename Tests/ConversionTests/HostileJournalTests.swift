import Bytes
import Conversion
import FixtureSupport
import Foundation
import Quantization
import SystemPackage
import Testing

/// A journal may hold anything: going on from it never ends in other bytes, and never in a trap.
@Suite struct HostileJournalTests {
  /// Torn, damaged, garbled: what cannot be read is done again.
  @Test(arguments: [true, false])
  func damage(gate: Bool) throws {
    try withTemporaryFolder { folder in
      let stopped = try StoppedConversion("mixtral", scheme: .int4G32, in: folder) {
        $0.gate = gate
        $0.sha256 = !gate
      }
      let (partial, journal) = (try contents(stopped.partial), try contents(stopped.journal))
      #expect(journal.count > 2000)
      var generator = SeededGenerator(seed: 11)
      func place(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }
      for round in 0..<24 {
        var (changed, data) = (journal, partial)
        switch round % 6 {
        case 0: changed.removeLast(place(changed.count))
        case 1: for _ in 0..<4 { changed[place(changed.count)] ^= 1 << UInt8(place(8)) }
        case 2: changed.replaceSubrange(place(900)..<900, with: repeatElement(255, count: 9))
        case 3: changed += changed[place(changed.count)...]
        // The data is damaged, or cut as after a power failure.
        case 4: for _ in 0..<3 { data[place(data.count)] ^= 1 << UInt8(place(8)) }
        default: data.removeLast(place(data.count))
        }
        try writeFile(stopped.partial, data)
        try writeFile(stopped.journal, changed)
        try stopped.finish("round \(round)")
        try FileManager.default.removeItem(atPath: stopped.output.string)
      }
      let magic = Array("KJRN".utf8)
      for (index, garbage) in [
        [], [0], [UInt8](repeating: 0, count: 5000), Array(magic.prefix(3)),
        magic + [UInt8](repeating: 255, count: 5000),
      ].enumerated() {
        try writeFile(stopped.partial, partial)
        try writeFile(stopped.journal, garbage)
        try stopped.finish("garbage \(index)")
        try FileManager.default.removeItem(atPath: stopped.output.string)
      }
    }
  }

  /// What no run can have left stays as it is, also where the output is to be replaced.
  @Test(arguments: ["out.kelter.partial", "out.kelter.journal"])
  func foreignFiles(name: String) throws {
    try withTemporaryFolder { folder in
      let stopped = try StoppedConversion("mixtral", scheme: .int4G32, in: folder) {
        $0.gate = false
      }
      let foreign = Array("somebody's notes".utf8)
      for isAlone in [false, true] {
        if isAlone {
          try FileManager.default.removeItem(atPath: stopped.partial.string)
          try FileManager.default.removeItem(atPath: stopped.journal.string)
        }
        try writeFile(folder.appending(name), foreign)
        let before = try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted()
        for force in [false, true] {
          let error = failure { try stopped.convert { $0.force = force } }
          #expect(error?.kind == .cannotCreate)
          #expect(error?.description.contains("\(name): was not written by kelter") == true)
          #expect(error?.description.contains("--restart") == true)
        }
        #expect(try contents(folder.appending(name)) == foreign)
        #expect(
          try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted() == before)
      }
      // Nor does tidying up beside an output that is there take it away.
      if name == "out.kelter.journal" {
        try writeFile(stopped.output, [1])
        #expect(failure { try stopped.convert() }?.description.contains("exists already") == true)
        #expect(try contents(folder.appending(name)) == foreign)
        try FileManager.default.removeItem(atPath: stopped.output.string)
      }
      try stopped.finish { $0.restart = true }
    }
  }

  /// Records whose checksums are right and whose contents lie. What they say of figures can only be
  /// believed, so that just the extents are compared: the last part of the file.
  @Test func forgery() throws {
    try withTemporaryFolder { folder in
      let stopped = try StoppedConversion("mixtral", scheme: .int4G32, in: folder) {
        $0.gate = false
      }
      let (partial, journal) = (try contents(stopped.partial), try contents(stopped.journal))
      let starts = Self.records(in: journal)
      #expect(starts.count > 5)
      let interesting: [UInt8] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF]
      var generator = SeededGenerator(seed: 12)
      for round in 0..<40 {
        var forged = journal
        for _ in 0..<2 {
          let start = starts.dropFirst().randomElement(using: &generator)!
          let count = Self.payloadByteCount(in: journal, at: start)
          let place = start + 8 + Int.random(in: 0..<count - 8, using: &generator)
          for offset in 0..<[1, 4, 8].randomElement(using: &generator)! {
            forged[place + offset] = interesting.randomElement(using: &generator)!
          }
          Self.mend(&forged, at: start)
        }
        try writeFile(stopped.partial, partial)
        try writeFile(stopped.journal, forged)
        try stopped.convert()
        let made = try contents(stopped.output)
        let data = stopped.bytes.count / 4
        #expect(made.count == stopped.bytes.count)
        #expect(sameBits(Array(made[data...]), Array(stopped.bytes[data...])), "round \(round)")
        try FileManager.default.removeItem(atPath: stopped.output.string)
      }
      // A size beyond all bounds.
      var huge = journal
      for offset in 4..<8 { huge[starts[1] + offset] = 0xFF }
      try writeFile(stopped.partial, partial)
      try writeFile(stopped.journal, huge)
      try stopped.finish("a huge record")
    }
  }

  /// The first bytes of the records.
  static func records(in journal: [UInt8]) -> [Int] {
    var starts: [Int] = []
    var start = 0
    while start + 16 <= journal.count {
      starts.append(start)
      start += payloadByteCount(in: journal, at: start) + 16
    }
    return starts
  }

  static func payloadByteCount(in journal: [UInt8], at start: Int) -> Int {
    Int(journal.littleEndian(at: start + 4, as: UInt32.self)!)
  }

  /// Gives a record the right checksum.
  static func mend(_ journal: inout [UInt8], at start: Int) {
    let end = start + payloadByteCount(in: journal, at: start) + 8
    var summed = Array(journal[start..<end])
    summed.appendLittleEndian(UInt64(start))
    var checksum: [UInt8] = []
    checksum.appendLittleEndian(Checksum.of(summed.rawSpan))
    journal.replaceSubrange(end..<end + 8, with: checksum)
  }
}
