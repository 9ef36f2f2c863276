import Bytes
import FixtureSupport
import Foundation
import SystemPackage
import Testing

/// The list of families, and its copy in the README.
@Suite struct FamiliesTests {
  @Test func readmeHasTheTable() throws {
    let path = Fixtures.packageRoot.appending("README.md")
    let readme = String(decoding: try contents(path), as: UTF8.self)
    let start = "<!-- kelter families --markdown -->\n"
    let parts = readme.components(separatedBy: start)
    #expect(parts.count == 2)
    let table = try kelter("families", "--markdown").output
    #expect(table.hasPrefix("| family | models |"))
    // To mend it, put what the command prints between the two comments.
    #expect(try #require(parts.last).hasPrefix(table + "<!-- end -->\n"))
  }

  @Test func everyFormTellsTheSame() throws {
    let document = try DocumentTests.document("families", ["families"])
    let families = try #require(document["families"]?.array)
    #expect(families.count > 25)
    let text = try kelter("families").output
    // Long lists are broken into lines.
    let sentences = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    let table = try kelter("families", "--markdown").output
    #expect(table.split(separator: "\n").count == families.count + 2)
    for family in families {
      let name = try #require(family["name"]?.string)
      #expect(text.contains(name + "\n") && table.contains("| \(name) |"))
      #expect(family["models"]?.array?.isEmpty == false)
      #expect(family["measured"]?.array?.isEmpty == false)
      for key in ["measured", "not_measured", "models"] {
        let words = family[key]?.array?.compactMap(\.string).joined(separator: ", ") ?? ""
        #expect(sentences.contains(words) && table.contains("| \(words) |"), "\(name): \(key)")
      }
    }
    #expect(try kelter("families", "--quiet").output.isEmpty)
  }
}
