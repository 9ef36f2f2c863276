internal import Foundation

/// The forms that a report can take, chosen by the ending of a file's name.
public enum ReportForm: String, Sendable, CaseIterable {
  case json
  case markdown = "md"
  case junit = "xml"

  /// - Throws: `ValidationError.unknownReportForm`.
  public init(fileName: String) throws(ValidationError) {
    let ending = fileName.split(separator: ".").last.map { $0.lowercased() } ?? ""
    guard fileName.contains("."), let form = ReportForm(rawValue: ending) else {
      throw .unknownReportForm(file: fileName)
    }
    self = form
  }
}

extension Report {
  /// The report as text in a form, ending in a newline.
  public func text(as form: ReportForm) -> String {
    switch form {
    case .json: json()
    case .markdown: markdown()
    case .junit: junit()
    }
  }

  /// The report as JSON: keys sorted, indented. formats/report.schema.json describes it.
  public func json() -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    // Every figure is optional where it may not be finite, so that encoding cannot fail.
    guard let data = try? encoder.encode(self) else { return "{}\n" }
    return String(decoding: data, as: UTF8.self) + "\n"
  }

  /// Reads a report in its JSON form.
  /// - Throws: `ValidationError.invalidReport`.
  public init(json: [UInt8], file: String) throws(ValidationError) {
    func decode<Part: Decodable>(_ part: Part.Type) throws(ValidationError) -> Part {
      do {
        return try JSONDecoder().decode(part, from: Data(json))
      } catch {
        throw .invalidReport(file: file, reason: Self.reason(of: error))
      }
    }
    // First of all, because another version may have changed anything else.
    let version = try decode(VersionOnly.self).version
    guard version == Report.version else {
      throw .invalidReport(
        file: file, reason: "its version is \(version), and this Kelter reads \(Report.version)")
    }
    self = try decode(Report.self)
  }

  private struct VersionOnly: Decodable {
    let version: Int

    enum CodingKeys: String, CodingKey {
      case version = "report_version"
    }
  }

  private static func reason(of error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): "'\(key.stringValue)' is missing"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' has another type"
    default: "it is no JSON of that kind"
    }
  }
}
