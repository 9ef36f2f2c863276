import Container
import Conversion
import FixtureSupport
import ModelFamilies
import Quantization
import SystemPackage
import Testing
import Validation

/// The whole way for families that do something that others do not.
@Suite struct FamilyTests {
  /// A table of token ids routes DeepSeek-V4's first layer: both streams take the same way.
  @Test func aTableRoutes() throws {
    try withTemporaryFolder { folder in
      let converted = try Converted("deepseek_v4", in: folder, scheme: .int4G32)
      #expect(converted.report.layers.map(\.routingAgreement).first == 1)
      #expect(try ContainerVerifier.verify(converted.reader()) == [])
      let again = try Verification(
        reader: converted.reader(), source: converted.source, options: converted.plan.options
      ).run()
      #expect(again.layers == converted.report.layers)
    }
  }

  /// A model that is not known converts, without figures of layers, and says so.
  @Test func anyModelConverts() throws {
    try withTemporaryFolder { folder in
      let source = try Source(path: Fixtures.path("mixtral"), family: "generic")
      let plan = try ConversionPlan(source: source, options: .init(scheme: .int4G32))
      let report = try plan.convert(to: folder.appending("out.kelter"))
      #expect(report.budget.passed)
      #expect(report.layers.isEmpty)
      #expect(report.weights.count == 36)
      #expect(report.notes.contains(ModelNote.rolesByName.description))
      let reader = try ContainerReader(path: folder.appending("out.kelter"))
      #expect(try ContainerVerifier.verify(reader) == [])
    }
  }
}
