import ArgumentParser
import Bytes
import Conversion
import Foundation

/// The command line: options in, facade called, text out.
@main
struct Kelter: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kelter",
    abstract: "Press open Mixture-of-Experts checkpoints into small files whose error is known.",
    discussion: """
      PATH is a checkpoint folder, one weight file (.safetensors, .bin, .pt, .gguf), or a .kelter \
      file.

        kelter inspect V3/                            what is in it
        kelter plan V3/ --compare                     what each scheme would do
        kelter plan V3/ --scheme int4-g64             every tensor's fate, exact size
        kelter convert V3/ -o v3.kelter --scheme int4-g64
        kelter verify v3.kelter --against V3/         measured again, from the file

      Exit codes:
          0  fine
          1  the measured loss is over the budget
         64  the command line, a recipe or a budget is wrong
         65  the input is wrong: truncated, contradictory, an unknown architecture
         66  the input is not there
         73  the output exists, cannot be created, or has too little room
         74  a disk failed or is full, or a file may not be read
        130  interrupted

      Files: an unfinished output lies beside its place as OUTPUT.partial, that of convert with a \
      journal. Nothing is written elsewhere.

      Environment: KELTER_KERNELS=portable, avx2, avx512 or neon takes that instruction set in \
      place of the best one. What the machine lacks is passed over; --version tells what is in use.

      Completion for bash, zsh or fish: kelter --generate-completion-script bash
      """,
    version: Version.description,
    subcommands: [
      InspectCommand.self, PlanCommand.self, ConvertCommand.self, VerifyCommand.self,
      DiffCommand.self, ExportCommand.self, PackCommand.self, UnpackCommand.self,
      ExpertCommand.self, TensorsCommand.self, FamiliesCommand.self, BenchCommand.self,
    ])

  static func main() {
    MemoryPlan.configureAllocation()
    // Commands that have something to keep replace this.
    Interruption.exitOnSignals()
    var command: any ParsableCommand
    do {
      command = try parseAsRoot()
    } catch {
      exitAfterParsing(error)
    }
    do {
      try command.run()
    } catch let error as any KelterError {
      fail(
        error.description, kind: error.kind,
        json: (command as? any ReportingCommand)?.output.json ?? false)
    } catch let code as ExitCode {
      // On its own, such as 1 for a loss over the budget.
      exit(withError: code)
    } catch {
      // `help` is a command of the parser's.
      exitAfterParsing(error)
    }
  }

  /// Help and version go to stdout; anything else is a usage error, in one line as all errors.
  private static func exitAfterParsing(_ error: any Error) -> Never {
    let names = configuration.subcommands.compactMap { $0.configuration.commandName }
    let arguments = CommandLine.arguments.dropFirst()
    let first = arguments.drop { $0 == "help" }.first ?? ""
    let command = names.contains(first) ? first : nil
    // The parser gives general help on a command that there is not.
    let isHelp =
      arguments.first != "help" || command != nil || first.isEmpty || first.hasPrefix("-")
    if isHelp, exitCode(for: error).isSuccess { exit(withError: error) }
    // An unknown command's options would be complained of, not the command.
    let problem =
      command == nil && !first.hasPrefix("-")
      ? "no command '\(first)'; commands are \(names.joined(separator: ", "))"
      : message(for: error).asOneSentence
    let comparison =
      problem.contains("--scheme <") ? "; 'kelter plan PATH --compare' shows what each does" : ""
    fail(
      problem + comparison + "; see 'kelter \(command.map { $0 + " " } ?? "")--help'", kind: .usage,
      json: CommandLine.arguments.contains("--json"))
  }

  /// Prints an error as one line on stderr, and as the one JSON document where that was asked for.
  private static func fail(_ description: String, kind: FailureKind, json: Bool) -> Never {
    let message = description.onOneLine
    Terminal.printError("kelter: error: \(message)")
    if json { try? Terminal.printJSON(ErrorDocument(error: .init(kind: kind, message: message))) }
    exit(withError: ExitCode(kind.exitCode))
  }
}

extension String {
  /// A message of the argument parser in one line: values that it lists on a line each are
  /// separated by commas.
  fileprivate var asOneSentence: String {
    let lines = split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    let values = lines.filter { $0.hasPrefix("- ") }.map { String($0.dropFirst(2)) }
    return (lines.filter { !$0.hasPrefix("- ") } + [values.joined(separator: ", ")])
      .joined(separator: " ").trimmingCharacters(in: CharacterSet(charactersIn: " ."))
  }
}

extension FailureKind {
  /// The exit code, as in sysexits.h.
  var exitCode: Int32 {
    switch self {
    case .usage: 64
    case .invalidInput: 65
    case .notFound: 66
    case .cannotCreate: 73
    case .inputOutput: 74
    case .interrupted: Interruption.exitCode
    }
  }
}

/// What `--json` prints when a command fails.
struct ErrorDocument: Encodable {
  struct Failure: Encodable {
    let exitCode: Int32
    let message: String

    init(kind: FailureKind, message: String) {
      exitCode = kind.exitCode
      self.message = message
    }

    enum CodingKeys: String, CodingKey {
      case message
      case exitCode = "exit_code"
    }
  }

  let error: Failure
}
