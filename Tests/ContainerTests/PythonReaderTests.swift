import Bytes
import Container
import FixtureSupport
import Foundation
import Quantization
import SystemPackage
import Tensors
import Testing

/// The Python reader of formats/, run as a user would.
enum PythonReader {
  static let isAvailable = (try? run("python3", ["-c", "import numpy"]))?.status == 0

  static func run(_ arguments: [String]) throws -> (status: Int32, output: Data) {
    let script = Fixtures.packageRoot.appending("formats/kelter_reader.py").string
    return try run("python3", ["-B", script] + arguments)
  }

  private static func run(
    _ program: String, _ arguments: [String]
  ) throws -> (status: Int32, output: Data) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }
}

@Suite(
  "A reader made from the document alone reads what Swift wrote",
  .enabled(if: PythonReader.isAvailable, "needs python3 with numpy"))
struct PythonReaderTests {
  let folder = try! TemporaryFolder()

  @Test(arguments: [false, true])
  func itFindsTheFileSound(sha256: Bool) throws {
    let path = folder.file("tiny.kelter")
    try TinyContainer.write(to: path, sha256: sha256)
    let (status, output) = try PythonReader.run([path.string, "--check"])
    #expect(status == 0)
    #expect(String(decoding: output, as: UTF8.self) == "sound\n")
  }

  @Test(arguments: [8, 14, 17, 0x4010, 0x4090, 0x8000, 0x17FFF])
  func itNoticesDamage(byteOffset: Int) throws {
    let path = folder.file("tiny.kelter")
    try TinyContainer.write(to: path)
    let handle = try #require(FileHandle(forUpdatingAtPath: path.string))
    try handle.seek(toOffset: UInt64(byteOffset))
    try handle.write(contentsOf: Data([0x55]))
    #expect(try PythonReader.run([path.string, "--check"]).status != 0)
  }

  /// A name that leads out of the folder which the file would be written to.
  @Test func itRefusesAPathForAFileName() throws {
    let golden = try File(path: Fixtures.path("container/tiny.kelter"))
    var bytes = try golden.bytes(in: 0..<golden.byteCount)
    // The name `config.json` in the strings, and the checksums that cover it.
    bytes.replaceSubrange(0x4080 + 0x27F..<0x4080 + 0x27F + 11, with: "../evil.txt".utf8)
    let entry = 64 + 48
    let size = Int(bytes[entry + 24]) | Int(bytes[entry + 25]) << 8
    let checksum = Checksum.of(Array(bytes[0x4080..<0x4080 + size]).rawSpan)
    for place in 0..<8 {
      bytes[entry + 32 + place] = UInt8(truncatingIfNeeded: checksum >> UInt64(8 * place))
    }
    bytes.mendHeaderChecksum()
    let path = folder.file("evil.kelter")
    let output = try AtomicFile(path: path, replacing: true)
    try output.write(bytes.rawSpan, at: 0)
    try output.publish()
    #expect(try PythonReader.run([path.string, "--check"]).status == 65)
    // With the checksums mended the name is all that the verifier has to say.
    #expect(
      try ContainerVerifier.verify(ContainerReader(path: path)).first?.description.contains(
        "malformed file name") == true)
  }

  /// The same bits as the kernels, for every scheme, partial groups included.
  @Test func itDequantizesToTheSameBits() throws {
    let tiny = folder.file("tiny.kelter")
    try TinyContainer.write(to: tiny)
    let tables = folder.file("tables.kelter")
    try TableContainer.write(to: tables)
    let schemes = try compareValues(tiny).union(compareValues(tables))
    #expect(
      schemes
        == Set(Scheme.allCases.filter { $0.format != nil }.map(\.rawValue)).subtracting(
          ["int4-asym-g64", "int4-asym-g128"]))
  }

  /// - Returns: the schemes of the quantized tensors.
  private func compareValues(_ path: FilePath) throws -> Set<String> {
    let reader = try ContainerReader(path: path)
    var schemes: Set<String> = []
    for tensor in try reader.allTensors() {
      guard case .quantized(let format) = tensor.encoding, let layout = tensor.layout else {
        continue
      }
      let bytes = try reader.file.bytes(in: tensor.byteRange)
      let globalScale = layout.globalScale.isEmpty ? nil : Float(0.03125)
      let dequantizer = Dequantizer(
        format: format, columns: layout.columns, globalScale: globalScale,
        levels: bytes[layout.tables].map { Int8(bitPattern: $0) })
      var values = [Float](repeating: 0, count: tensor.shape.elementCount)
      var span = values.mutableSpan
      dequantizer.dequantize(
        codes: bytes.span.extracting(layout.codes), scales: bytes.span.extracting(layout.scales),
        zeroPoints: bytes.span.extracting(layout.zeroPoints), rows: layout.rows, into: &span)
      let (status, output) = try PythonReader.run([path.string, "--tensor", tensor.name, "--raw"])
      #expect(status == 0)
      let bits = values.flatMap { value in
        (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
      }
      #expect([UInt8](output) == bits, "\(tensor.name)")
      schemes.insert(tensor.scheme)
    }
    return schemes
  }
}
