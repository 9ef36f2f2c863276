import Bytes
import FixtureSupport
import SystemPackage

/// Checks a JSON document against one of the schemas under formats/: the part of JSON Schema
/// 2020-12 that they use. A keyword that is not known is a problem, so that none goes unchecked.
struct JSONSchema {
  private let root: JSONValue

  /// - Parameter name: `report.schema.json`.
  init(_ name: String) throws {
    let path = Fixtures.packageRoot.appending("formats").appending(name)
    root = try JSONValue(parsing: contents(path), file: path)
  }

  /// What is wrong with a document; empty if it conforms.
  func problems(of document: JSONValue) throws -> [String] {
    try problems(document, root, at: "$")
  }

  private func problems(
    _ value: JSONValue, _ schema: JSONValue, at place: String
  ) throws -> [String] {
    var problems: [String] = []
    for (keyword, rule) in schema.object ?? [:] {
      switch keyword {
      case "$schema", "title", "description": break
      case "$ref":
        let other = try JSONSchema(rule.string ?? "")
        problems += try other.problems(value, other.root, at: place)
      case "type":
        if !Self.isType(rule.string, value) { problems.append("\(place) is no \(rule)") }
      case "const":
        if value != rule { problems.append("\(place) is not \(rule)") }
      case "enum":
        if rule.array?.contains(value) != true { problems.append("\(place) is not in \(rule)") }
      case "minimum":
        if let number = value.double, let minimum = rule.double, number < minimum {
          problems.append("\(place) is below \(minimum)")
        }
      case "pattern":
        if let text = value.string, try text.firstMatch(of: Regex(rule.string ?? "")) == nil {
          problems.append("\(place) does not match \(rule)")
        }
      case "required":
        for name in rule.array ?? [] where value[name.string ?? ""] == nil {
          problems.append("\(place) lacks \(name)")
        }
      case "properties":
        for (name, part) in value.object ?? [:] {
          guard let partSchema = rule[name] else { continue }
          problems += try self.problems(part, partSchema, at: "\(place).\(name)")
        }
      case "additionalProperties":
        guard rule == .bool(false) else {
          problems.append("additionalProperties \(rule) is not known")
          continue
        }
        let known = schema["properties"]?.object ?? [:]
        for name in (value.object ?? [:]).keys where known[name] == nil {
          problems.append("\(place).\(name) is not expected")
        }
      case "items":
        for (index, item) in (value.array ?? []).enumerated() {
          problems += try self.problems(item, rule, at: "\(place)[\(index)]")
        }
      default: problems.append("the keyword \(keyword) is not known")
      }
    }
    return problems
  }

  private static func isType(_ type: String?, _ value: JSONValue) -> Bool {
    switch (type, value) {
    case ("object", .object), ("array", .array), ("string", .string), ("boolean", .bool),
      ("integer", .integer), ("integer", .unsigned), ("number", .integer), ("number", .unsigned),
      ("number", .number):
      true
    default: false
    }
  }
}
