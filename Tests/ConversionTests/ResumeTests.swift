import Bytes
import Checkpoints
import Container
import Conversion
import FixtureSupport
import Foundation
import Quantization
import Synchronization
import SystemPackage
import Tensors
import Testing
import Validation

/// A conversion in a folder of its own that is stopped right before its file would get its name.
struct StoppedConversion {
  let folder: FilePath
  let source: FilePath
  let options: ConversionOptions

  var output: FilePath { folder.appending("out.kelter") }
  var partial: FilePath { folder.appending("out.kelter.partial") }
  var journal: FilePath { folder.appending("out.kelter.journal") }
  var reportPath: FilePath { folder.appending("out.report.json") }

  /// What an undisturbed run makes.
  let bytes: [UInt8]
  let report: Report

  init(
    _ fixture: String, scheme: Scheme, in folder: FilePath,
    _ change: (inout ConversionOptions) -> Void = { _ in }
  ) throws {
    self.folder = folder
    source = folder.appending("source")
    try FileManager.default.copyItem(
      atPath: Fixtures.path(fixture).string, toPath: source.string)
    var options = ConversionOptions(scheme: scheme)
    options.tokenCount = 16
    options.search = .absmax
    change(&options)
    self.options = options
    report = try Self.plan(source, options).convert(to: folder.appending("out.kelter"))
    bytes = try contents(folder.appending("out.kelter"))
    try stop()
  }

  static func plan(
    _ source: FilePath, _ options: ConversionOptions
  ) throws -> ConversionPlan {
    try ConversionPlan(source: Source(path: source), options: options)
  }

  /// Somebody takes the name while the run is on, and gives it back.
  func stop() throws {
    for path in [output, partial, journal, reportPath] {
      try? FileManager.default.removeItem(atPath: path.string)
    }
    let error = #expect(throws: ConversionError.self) {
      try convert(progress: { _ in try? writeFile(output, [1]) })
    }
    guard case .kept(let cause, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect("\(cause)".contains("exists already"))
    try FileManager.default.removeItem(atPath: output.string)
    #expect(exists(partial) && exists(journal))
  }

  /// Runs it, changed or not.
  @discardableResult
  func convert(
    _ change: (inout ConversionOptions) throws -> Void = { _ in },
    progress: ProgressHandler? = nil, notice: ((String) -> Void)? = nil
  ) throws -> Report {
    var options = options
    try change(&options)
    return try Self.plan(source, options).convert(to: output, progress: progress, notice: notice)
  }

  /// Goes on, perhaps changed, and expects what an undisturbed run makes.
  func finish(
    _ comment: Comment? = nil, _ change: (inout ConversionOptions) throws -> Void = { _ in },
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let report = try convert(change)
    let isSame = try contents(output) == bytes
    #expect(isSame, comment, sourceLocation: sourceLocation)
    #expect(report == self.report, comment, sourceLocation: sourceLocation)
    #expect(!exists(partial) && !exists(journal), comment, sourceLocation: sourceLocation)
  }

  /// Expects a refusal that names the cause and the cure, and leaves all as it was.
  func expectRefusal(
    _ kind: FailureKind, naming parts: String..., sourceLocation: SourceLocation = #_sourceLocation,
    _ change: (inout ConversionOptions) throws -> Void = { _ in }
  ) throws {
    let before = (try contents(partial), try contents(journal))
    let error = #expect(throws: ConversionError.self, sourceLocation: sourceLocation) {
      try convert(change)
    }
    #expect(error?.kind == kind, sourceLocation: sourceLocation)
    let message = "\(error.map { "\($0)" } ?? "")"
    for part in parts + ["out.kelter.partial", "--restart"] {
      #expect(message.contains(part), "\(message)", sourceLocation: sourceLocation)
    }
    let isSame = try (contents(partial), contents(journal)) == before
    #expect(isSame && !exists(output), sourceLocation: sourceLocation)
  }
}

/// When a file was read and changed last.
func times(of path: FilePath) -> [timespec] {
  var status = stat()
  _ = unsafe stat(path.string, &status)
  return [status.st_atim, status.st_mtim]
}

func setTimes(_ times: [timespec], of path: FilePath) {
  _ = unsafe utimensat(AT_FDCWD, path.string, times, 0)
}

/// The error that `body` ends with.
func failure(_ body: () throws -> Void) -> (any KelterError)? {
  do {
    try body()
    Issue.record("no error")
  } catch let error as any KelterError {
    return error
  } catch {
    Issue.record("\(error)")
  }
  return nil
}

/// What may change between an interrupted run and the one that goes on from it, and what may not.
@Suite struct ResumeTests {
  @Test func otherOptionsAreRefused() throws {
    try withTemporaryFolder { folder in
      let stopped = try StoppedConversion("mixtral", scheme: .int4G32, in: folder)
      try stopped.expectRefusal(.cannotCreate, naming: "--scheme", "int4-g32", "int4-g64") {
        $0.scheme = .int4G64
      }
      try stopped.expectRefusal(.cannotCreate, naming: "--recipe has changed") {
        $0.recipe = try Recipe(yaml: "rules: [{role: expert.down, scheme: int4-g32}]", file: "r")
      }
      try stopped.expectRefusal(.cannotCreate, naming: "--search", "absmax", "full") {
        $0.search = .full
      }
      try stopped.expectRefusal(.cannotCreate, naming: "--sha256") { $0.sha256 = true }
      try stopped.expectRefusal(.cannotCreate, naming: "--gate") { $0.gate = false }
      try stopped.expectRefusal(.cannotCreate, naming: "--seed", "from 0 to 1") { $0.seed = 1 }
      try stopped.expectRefusal(.cannotCreate, naming: "--token-count", "from 16 to 17") {
        $0.tokenCount = 17
      }
      // The cure, and with it the other scheme.
      try stopped.convert {
        $0.scheme = .int4G64
        $0.restart = true
      }
      #expect(try ContainerReader(path: stopped.output).metadata()["scheme"]?.string == "int4-g64")
      #expect(!exists(stopped.partial) && !exists(stopped.journal))
    }
  }

  /// Ids of the same number under the same name.
  @Test func otherTokensAreRefused() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("tokens.safetensors")
      func write(_ first: UInt8) throws {
        try writeFile(
          path,
          SafetensorsBytes.file([("input_ids", "I32", [1, 2], [first, 0, 0, 0, 7, 0, 0, 0])]))
      }
      try write(3)
      let stopped = try StoppedConversion("mixtral", scheme: .int4G32, in: folder) {
        $0.tokens = path
      }
      try write(4)
      try stopped.expectRefusal(.cannotCreate, naming: "the list of ids in --tokens has changed")
      try write(3)
      try stopped.finish()
    }
  }

  @Test func anotherSourceIsRefused() throws {
    try withTemporaryFolder { folder in
      let stopped = try StoppedConversion("mixtral", scheme: .int4G32, in: folder)
      for name in ["model.safetensors", "config.json"] {
        let file = stopped.source.appending(name)
        let times = times(of: file)
        // As if it had been written anew.
        var later = times
        later[1].tv_nsec ^= 1
        setTimes(later, of: file)
        try stopped.expectRefusal(
          .invalidInput, naming: "the source file \(name) has changed", "put it back")
        setTimes(times, of: file)
      }
      try writeFile("chat_template.jinja", in: stopped.source, [])
      try stopped.expectRefusal(.invalidInput, naming: "chat_template.jinja is new")
      try FileManager.default.removeItem(
        atPath: stopped.source.appending("chat_template.jinja").string)
      try stopped.finish()
    }
  }

  /// Its bytes are in the output, whose layout would be another one.
  @Test func sourceFileThatIsGone() throws {
    try withTemporaryFolder { folder in
      let stopped = try StoppedConversion("trained", scheme: .int4G64, in: folder)
      let file = stopped.source.appending("tokenizer.json").string
      let elsewhere = folder.appending("tokenizer.json").string
      try FileManager.default.moveItem(atPath: file, toPath: elsewhere)
      try stopped.expectRefusal(.invalidInput, naming: "the source file tokenizer.json is gone")
      try FileManager.default.moveItem(atPath: elsewhere, toPath: file)
      try stopped.finish()
    }
  }

  /// How fast it goes and what the budget says decide no byte.
  @Test func otherMeansAreWelcome() throws {
    try withTemporaryFolder { folder in
      let stopped = try StoppedConversion("mixtral", scheme: .int4G32, in: folder) {
        $0.threads = 1
      }
      let changes: [(inout ConversionOptions) -> Void] = [
        { $0.threads = 7 }, { $0.memoryLimit = 1 << 40 }, { $0.force = true },
        { $0.allowsNonFinite = false }, { $0.restart = true },
      ]
      for (index, change) in changes.enumerated() {
        try stopped.finish("change \(index)", change)
        try stopped.stop()
      }
      let strict = try stopped.convert {
        $0.budget = try Budget(yaml: "weights: {relative_error: 0.001}", file: "b")
      }
      #expect(!strict.budget.passed)
      #expect(!exists(stopped.output) && !exists(stopped.partial) && !exists(stopped.journal))
    }
  }

  /// A file that changes under the run is noticed, and what was read of it is not kept.
  @Test(arguments: [true, false])
  func sourceThatChanges(gate: Bool) throws {
    try withTemporaryFolder { folder in
      let stopped = try StoppedConversion("mixtral", scheme: .int4G32, in: folder) {
        $0.gate = gate
      }
      for name in ["model.safetensors", "config.json"] {
        let file = stopped.source.appending(name)
        let before = times(of: file)
        let handle = try FileHandle(forWritingTo: URL(filePath: file.string))
        let byteCount = try handle.seekToEnd()
        let error = failure {
          try stopped.convert({ $0.restart = true }) { progress in
            guard progress.done > progress.total / 2 else { return }
            try? handle.write(contentsOf: [0x20])
          }
        }
        #expect(error?.kind == .invalidInput)
        #expect(error?.description.contains("\(name): has changed since the run began") == true)
        #expect(!exists(stopped.output))
        try handle.truncate(atOffset: byteCount)
        try stopped.expectRefusal(.invalidInput, naming: "the source file \(name)")
        setTimes(before, of: file)
        try stopped.finish()
        try FileManager.default.removeItem(atPath: stopped.output.string)
      }
    }
  }

  /// Scales change while they are read, weights do not; then the file is put back as it was.
  @Test func scalesThatChange() throws {
    try withTemporaryFolder { folder in
      let source = folder.appending("source")
      let scales = try Self.split("deepseek_v3_fp8", to: source)
      var options = ConversionOptions(scheme: .int4G32)
      options.search = .absmax
      options.gate = false
      options.threads = 1
      let plan = try StoppedConversion.plan(source, options)
      let undisturbed = folder.appending("undisturbed.kelter")
      _ = try plan.convert(to: undisturbed)

      let (sound, before) = (try contents(scales), times(of: scales))
      let output = folder.appending("out.kelter")
      let error = failure {
        _ = try plan.convert(to: output) { progress in
          guard progress.done > progress.total / 2 else { return }
          // The exponents of the last Float32 scales.
          var changed = sound
          for place in stride(from: changed.count - 1, to: changed.count - 200, by: -4) {
            changed[place] += 1
          }
          try? writeFile(scales, changed)
        }
      }
      #expect(error?.description.contains("scales.safetensors: has changed") == true)
      #expect(error?.description.contains("back as it was") == true)
      try writeFile(scales, sound)
      setTimes(before, of: scales)
      _ = try StoppedConversion.plan(source, options).convert(to: output)
      let isSame = try contents(output) == contents(undisturbed)
      #expect(isSame)
    }
  }

  /// Writes a fixture anew, the scales in a file of their own.
  /// - Returns: that file.
  private static func split(_ fixture: String, to folder: FilePath) throws -> FilePath {
    try FileManager.default.createDirectory(
      atPath: folder.string, withIntermediateDirectories: true)
    let checkpoint = try Checkpoint(path: Fixtures.path(fixture))
    var shards: [String: [(name: String, dtype: String, shape: [Int], bytes: [UInt8])]] = [:]
    var shardOfTensor: [String: String] = [:]
    for tensor in checkpoint.tensors {
      let isScale = tensor.name.hasSuffix("_scale_inv")
      let shard = isScale ? "scales.safetensors" : "weights.safetensors"
      shardOfTensor[tensor.name] = shard
      shards[shard, default: []].append(
        (
          tensor.name, tensor.dtype.rawValue, tensor.shape.dimensions,
          try checkpoint.bytes(of: tensor)
        ))
    }
    for (name, tensors) in shards {
      try writeFile(name, in: folder, SafetensorsBytes.file(tensors))
    }
    try writeFile(
      "model.safetensors.index.json", in: folder,
      Array(JSONEncoder().encode(["weight_map": shardOfTensor])))
    try writeFile("config.json", in: folder, contents(Fixtures.path(fixture + "/config.json")))
    return folder.appending("scales.safetensors")
  }

  /// A second run to the same output is refused; the first does not notice.
  @Test func twoAtOnce() throws {
    try withTemporaryFolder { folder in
      let stopped = try StoppedConversion("mixtral", scheme: .int4G32, in: folder)
      let messages = Mutex<Set<String>>([])
      let report = try stopped.convert({ $0.restart = true }) { _ in
        for restart in [false, true] {
          let error = failure {
            try stopped.convert {
              $0.restart = restart
              $0.scheme = .mxfp4
            }
          }
          _ = messages.withLock { $0.insert("\(error?.kind as Any) \(error?.description ?? "")") }
        }
      }
      #expect(try contents(stopped.output) == stopped.bytes && report == stopped.report)
      let message = try #require(messages.withLock { $0.first })
      #expect(messages.withLock { $0.count } == 1)
      #expect(message.contains("cannotCreate") && message.contains("another run is writing it"))
    }
  }

  @Test func outputFolderThatVanishes() throws {
    try withTemporaryFolder { folder in
      let stopped = try StoppedConversion("mixtral", scheme: .int4G32, in: folder)
      let place = folder.appending("place")
      try FileManager.default.createDirectory(
        atPath: place.string, withIntermediateDirectories: false)
      let plan = try ConversionPlan(
        source: Source(path: stopped.source), options: stopped.options)
      let error = failure {
        _ = try plan.convert(to: place.appending("out.kelter")) { _ in
          try? FileManager.default.removeItem(atPath: place.string)
        }
      }
      #expect(error?.kind == .inputOutput)
      #expect(error?.description.contains(place.string) == true)
      #expect(!exists(place))
    }
  }
}
