public import Bytes

/// What can be wrong with a budget or a report.
public enum ValidationError: KelterError {
  /// A budget is not what budgets are: unknown words, a limit that is no number.
  case invalidBudget(file: String, reason: String)
  /// A report cannot be read.
  case invalidReport(file: String, reason: String)
  /// A report's file name ends in something that is no report form.
  case unknownReportForm(file: String)

  public var kind: FailureKind {
    switch self {
    case .invalidBudget, .unknownReportForm: .usage
    case .invalidReport: .invalidInput
    }
  }

  public var description: String {
    switch self {
    case .invalidBudget(let file, let reason): "\(file): not a budget: \(reason)"
    case .invalidReport(let file, let reason): "\(file): not a Kelter report: \(reason)"
    case .unknownReportForm(let file):
      "\(file): a report ends in .json, .md or .xml (JUnit)"
    }
  }
}
