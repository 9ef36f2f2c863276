import Bytes
public import Container
import ModelFamilies
import Quantization
import SourceWeights
import SystemPackage
import Tensors
public import Validation

/// A container measured against the checkpoint it was made from.
public struct Verification: Sendable {
  let source: Source
  let reader: ContainerReader
  let units: [ConversionUnit]
  let options: ConversionOptions
  let tokens: TokenIDs?
  let notes: [String]

  /// Matches the tensors of both.
  /// - Parameter options: tokens, seed, budget, threads and memory limit are used; scheme, search
  ///   and recipe are the container's.
  /// - Throws: `ConversionError.differentTensors` if they do not hold the same tensors.
  public init(reader: ContainerReader, source: Source, options: ConversionOptions) throws {
    self.reader = reader
    self.source = source
    var options = options
    let metadata = try reader.metadata()
    options.scheme = metadata["scheme"]?.string.flatMap(Scheme.init) ?? .keep
    options.search = metadata["search"]?.string.flatMap(ScaleSearch.init) ?? .full
    options.allowsNonFinite = metadata["allow_nonfinite"]?.bool ?? false
    if let recipe = metadata["recipe"]?.string {
      options.recipe = try Recipe(yaml: recipe, file: reader.path.string)
    }
    self.options = options
    tokens = try TokenIDs.measured(options: options, description: source.description)
    notes = source.notes + (try Self.configNotes(reader, source))

    let matrices = source.matrices
    guard reader.tensorCount == matrices.count else {
      throw ConversionError.differentTensors(
        container: reader.path.string,
        reason: "it holds \(reader.tensorCount) tensors, the source \(matrices.count) weights")
    }
    let planned = try matrices.map { try Self.match($0, reader) }
    units = ConversionPlan.units(of: source, planned: planned)
  }

  /// The config decides how tokens are routed: the source's should be the one that was converted.
  private static func configNotes(_ reader: ContainerReader, _ source: Source) throws -> [String] {
    let name = "config.json"
    guard let carried = try reader.files().first(where: { $0.name == name }),
      let bytes = try? source.sideFileBytes(named: name),
      try reader.contents(of: carried) != bytes
    else { return [] }
    return ["config.json of the source differs from the one that the container carries"]
  }

  /// Finds a weight of the source in the container.
  private static func match(
    _ matrix: SourceMatrix, _ reader: ContainerReader
  ) throws -> PlannedWeight {
    let weight = matrix.source
    let shape = matrix.part?.part.shape(columns: weight.columns) ?? weight.shape
    func different(_ reason: String) -> ConversionError {
      .differentTensors(container: reader.path.string, reason: "\(weight.name) \(reason)")
    }
    guard let tensor = try find(matrix, reader) else { throw different("is missing there") }
    guard tensor.shape == shape else {
      throw different("is \(tensor.shape) there and \(shape) here")
    }
    guard let scheme = Scheme(rawValue: tensor.scheme) else {
      throw different("has the unknown scheme '\(tensor.scheme)'")
    }
    return PlannedWeight(matrix: matrix, scheme: scheme, encoding: tensor.encoding)
  }

  /// The tensor that a matrix became, or nil if there is none. Damage is no absence.
  private static func find(
    _ matrix: SourceMatrix, _ reader: ContainerReader
  ) throws(ContainerError) -> ContainedTensor? {
    do throws(ContainerError) {
      return try reader.tensor(of: matrix)
    } catch .noSuchTensor {
      return nil
    } catch {
      throw error
    }
  }

  /// Measures every quantized weight and, with the gate, every layer.
  public func run(progress: ProgressHandler? = nil) throws -> Report {
    let threads = try MemoryPlan(
      source: source, units: units, options: options, tokenCount: tokens?.ids.count ?? 0
    ).threads
    let outcome = try MeasuredRun(
      source: source, units: units,
      pass: VerifyingPass(
        units: units, checkpoint: source.checkpoint, reader: reader,
        allowsNonFinite: options.allowsNonFinite),
      phase: "verify", tokens: tokens?.ids, seed: options.seed, threads: threads,
      progress: progress
    ).run()

    var payload = 0
    var elements = 0
    for weight in units.flatMap(\.weights) where weight.isQuantized {
      let tensor = try reader.tensor(of: weight)
      payload += tensor.payloadByteCount
      elements += tensor.shape.elementCount
    }
    let bytes = Report.ByteCounts(
      source: source.byteCount, output: reader.byteCount,
      bitsPerWeight: elements == 0 ? nil : 8 * Double(payload) / Double(elements),
      fileBitsPerWeight: 8 * Double(reader.byteCount) / Double(max(1, source.elementCount)))
    return Report(
      source: source, options: options, units: units, outcome: outcome, bytes: bytes,
      tokens: tokens, fileChecksums: nil, notes: notes)
  }
}

extension ContainerReader {
  /// The tensor that a matrix of the source became.
  func tensor(of matrix: SourceMatrix) throws(ContainerError) -> ContainedTensor {
    guard let part = matrix.part else { return try tensor(named: matrix.source.name) }
    return try tensor(
      named: matrix.source.name, expert: part.assignment.expert, part: part.index)
  }

  /// The tensor that a weight became.
  func tensor(of weight: PlannedWeight) throws(ContainerError) -> ContainedTensor {
    try tensor(
      named: weight.source.name, expert: weight.part?.assignment.expert,
      part: weight.part?.index ?? 0)
  }
}
