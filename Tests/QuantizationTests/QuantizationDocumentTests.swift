import FixtureSupport
import Foundation
import Quantization
import Tensors
import Testing

/// The worked examples of formats/quantization.md are what the code does.
@Suite struct QuantizationDocumentTests {
  static let weights: [Float] = [0.1, -0.25, 0.5, 1, -1.5, 0, 0.75]

  static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String(format: "%02x", $0) }.joined(separator: " ")
  }

  /// An example as the document prints it.
  static func example(_ scheme: Scheme, search: ScaleSearch) throws -> String {
    let format = try #require(scheme.format)
    let quantized = QuantizedMatrix(
      weights, rows: 1, columns: weights.count, format: format, search: search)
    var lines = [
      "\(scheme.rawValue), \(search.rawValue)",
      "weights      " + weights.map { "\($0)" }.joined(separator: " "),
      "codes        " + hex(quantized.codes),
      "scales       " + hex(quantized.scales),
    ]
    if format.hasZeroPoints { lines.append("zero points  " + hex(quantized.zeroPoints)) }
    if let globalScale = quantized.globalScale {
      let bits = globalScale.bitPattern
      lines.append("global scale " + hex((0..<4).map { UInt8(bits >> (8 * $0) & 255) }))
    }
    if !quantized.levels.isEmpty {
      lines.append("tables       " + quantized.levels.map(String.init).joined(separator: " "))
    }
    lines.append("decoded      " + quantized.values.map { "\($0)" }.joined(separator: " "))
    return lines.joined(separator: "\n")
  }

  @Test(arguments: Scheme.allCases.filter { $0.format != nil }, [ScaleSearch.absmax, .full])
  func examples(scheme: Scheme, search: ScaleSearch) throws {
    // One group size stands for all, and full search is shown where its scales differ in kind.
    let shown: Set<Scheme> = [
      .fp8E4M3Block128, .int8Channel, .int4G32, .int4AsymmetricG32, .mxfp4, .mxfp8, .nvfp4,
      .lut4G32K2, .lut4G16, .lut3G16K2,
    ]
    let hasTables = scheme.format?.tableCount ?? 0 > 0
    guard shown.contains(scheme),
      scheme == .int4G32 || search == (hasTables ? .full : .absmax)
    else { return }
    let path = "\(Fixtures.packageRoot)/formats/quantization.md"
    let document = try String(contentsOfFile: path, encoding: .utf8)
    let example = try Self.example(scheme, search: search)
    #expect(document.contains("```\n" + example + "\n```\n"), "\(example)")
  }

  /// Every scheme has a section.
  @Test func sections() throws {
    let path = "\(Fixtures.packageRoot)/formats/quantization.md"
    let headings = try String(contentsOfFile: path, encoding: .utf8)
      .split(separator: "\n").filter { $0.hasPrefix("### ") }
    for scheme in Scheme.allCases {
      let isThere = headings.contains { $0.contains("`\(scheme.rawValue)`") }
      #expect(isThere, "\(scheme.rawValue)")
    }
  }
}
