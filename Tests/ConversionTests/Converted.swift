import Container
import Conversion
import FixtureSupport
import Foundation
import ModelFamilies
import Quantization
import SourceWeights
import SystemPackage
import Tensors
import Validation

/// A fixture that was converted.
final class Converted {
  let source: Source
  let plan: ConversionPlan
  let report: Report
  let path: FilePath
  private var file: [UInt8]?

  init(
    _ fixture: String, in folder: FilePath, name: String = "out.kelter",
    options: ConversionOptions
  ) throws {
    source = try Source(path: Fixtures.path(fixture))
    plan = try ConversionPlan(source: source, options: options)
    path = folder.appending(name)
    report = try plan.convert(to: path)
  }

  convenience init(
    _ fixture: String, in folder: FilePath, name: String = "out.kelter", scheme: Scheme,
    _ change: (inout ConversionOptions) throws -> Void = { _ in }
  ) throws {
    var options = ConversionOptions(scheme: scheme)
    options.tokenCount = 48
    try change(&options)
    try self.init(fixture, in: folder, name: name, options: options)
  }

  func reader() throws -> ContainerReader { try ContainerReader(path: path) }

  /// The bytes of a part of the output.
  func bytes(_ range: Range<Int>) throws -> [UInt8] {
    let file = try self.file ?? contents(path)
    self.file = file
    return Array(file[range])
  }

  /// A weight of the source, decoded.
  func original(_ name: String) throws -> Matrix {
    let weight = source.weights[name]!
    var reader = WeightReader(weight: weight, checkpoint: source.checkpoint)
    var matrix = Matrix(rows: weight.rows, columns: weight.columns)
    var values = matrix.values.mutableSpan
    try reader.readRows(0..<weight.rows, into: &values)
    return matrix
  }

  /// A weight of the source or a matrix that it holds, element by element as the part says.
  func original(_ reference: WeightReference) throws -> Matrix {
    let whole = try original(reference.name)
    guard let part = reference.part else { return whole }
    let shape = part.shape(columns: whole.columns)
    var matrix = Matrix(rows: shape.rows, columns: shape.columns)
    for row in 0..<matrix.rows {
      let output = part.firstOutput + row * part.outputStride
      for column in 0..<matrix.columns {
        let (r, c) = part.isTransposed ? (column, output) : (output, column)
        matrix.values[row * matrix.columns + column] =
          whole.values[(part.storedRows.lowerBound + r) * whole.columns + c]
      }
    }
    return matrix
  }

  /// A matrix of the output. One-column parts, the biases, lie in tensors that are kept whole.
  func delivered(_ reference: WeightReference) throws -> Matrix {
    guard let part = reference.part else { return try delivered(reference.name) }
    guard
      let place = source.description.parts(of: reference.name).first(where: { $0.part == part })
    else { return try original(reference) }
    return try delivered(
      try reader().tensor(
        named: reference.name, expert: place.assignment.expert, part: place.index))
  }

  /// A weight of the output, decoded whole from its planes.
  func delivered(_ name: String) throws -> Matrix {
    try delivered(reader().tensor(named: name))
  }

  func delivered(_ tensor: ContainedTensor) throws -> Matrix {
    let bytes = try bytes(tensor.byteRange)
    var matrix = Matrix(rows: tensor.shape.rows, columns: tensor.shape.columns)
    var values = matrix.values.mutableSpan
    guard let layout = tensor.layout else {
      guard case .plain(let dtype) = tensor.encoding else { return matrix }
      ElementConversion.decode(bytes.span, as: dtype, into: &values)
      return matrix
    }
    let global = bytes[layout.globalScale].enumerated().reduce(UInt32(0)) {
      $0 | UInt32($1.element) << (8 * $1.offset)
    }
    Dequantizer(
      format: layout.format, columns: layout.columns,
      globalScale: layout.globalScale.isEmpty ? nil : Float(bitPattern: global)
    ).dequantize(
      codes: bytes.span.extracting(layout.codes), scales: bytes.span.extracting(layout.scales),
      zeroPoints: bytes.span.extracting(layout.zeroPoints), rows: layout.rows, into: &values)
    return matrix
  }
}

/// The fixtures that go through every test, the really trained one last.
let allFixtures = [
  "deepseek_v3", "deepseek_v3_fp8", "deepseek_v3_mtp", "qwen3_moe", "mixtral", "llama_r1_distill",
  "qwen2_r1_distill", "trained",
]

/// Those whose experts share tensors.
let fusedFixtures = [
  "qwen3_5_moe", "gpt_oss", "granitemoe", "llama4_text", "dbrx",
]

/// All others.
let otherFixtures = Fixtures.models.filter {
  !allFixtures.contains($0) && !fusedFixtures.contains($0)
}

/// Whether two arrays hold the same bits.
func sameBits<Element: BitwiseCopyable>(_ a: [Element], _ b: [Element]) -> Bool {
  guard a.count == b.count, !a.isEmpty else { return a.count == b.count }
  return unsafe a.withUnsafeBytes { a in
    unsafe b.withUnsafeBytes { b in
      unsafe memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0
    }
  }
}
