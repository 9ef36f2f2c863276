// swift-tools-version: 6.3
import PackageDescription

/// Every Swift target is built with the same strict settings.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  // Types that own memory lend spans of it.
  .enableExperimentalFeature("Lifetimes"),
]

let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

/// The modules, floor by floor: a module depends on floors below its own only.
let modules: [(floor: Int, name: String, dependencies: [Target.Dependency])] = [
  (1, "Bytes", ["CKernels", "CZstd", system]),
  (1, "ElementFormats", []),
  (2, "Tensors", ["Bytes", "ElementFormats", "CKernels"]),
  (3, "Checkpoints", ["Bytes", "CZlib", "Tensors", system]),
  (3, "Quantization", ["Bytes", "CKernels", "ElementFormats", "Tensors"]),
  (3, "ReferenceModel", ["CKernels", "Tensors"]),
  (4, "SourceWeights", ["Bytes", "Checkpoints", "CKernels", "Quantization", "Tensors", system]),
  (4, "ModelFamilies", ["Bytes", "Checkpoints", "ReferenceModel", "Tensors"]),
  (4, "Validation", ["Bytes", "Quantization", "ReferenceModel", "Tensors", yams]),
  (4, "Container", ["Bytes", "Checkpoints", "Quantization", "Tensors", system, crypto]),
  (
    5, "Conversion",
    [
      "Bytes", "CKernels", "Tensors", "Checkpoints", "Quantization", "ReferenceModel",
      "SourceWeights", "ModelFamilies", "Validation", "Container", system, yams,
    ]
  ),
]

/// What tests share, in folders of Tests.
let testSupport: [(name: String, dependencies: [Target.Dependency])] = [
  // Where the tests find fixtures/, and files that no writer would make.
  ("FixtureSupport", [system]),
  // Checkpoints and layouts with expected values, and how they are compared.
  (
    "FixtureChecks",
    [
      "Bytes", "Checkpoints", "ElementFormats", "FixtureSupport", "ModelFamilies",
      "ReferenceModel", "SourceWeights", "Tensors", system,
    ]
  ),
]

let tests: [(name: String, dependencies: [Target.Dependency])] = [
  ("BytesTests", ["Bytes", "CKernels", "CZstd", "FixtureSupport", system]),
  (
    "ElementFormatsTests",
    ["ElementFormats", "CKernels", "Checkpoints", "Tensors", "FixtureSupport"]
  ),
  ("CheckpointsTests", ["Bytes", "Checkpoints", "Tensors", "FixtureSupport", system]),
  (
    "QuantizationTests",
    ["CKernels", "Checkpoints", "ElementFormats", "Quantization", "Tensors", "FixtureSupport"]
  ),
  ("ReferenceModelTests", ["Checkpoints", "ReferenceModel", "Tensors", "FixtureSupport"]),
  (
    "SourceWeightsTests",
    [
      "Bytes", "Checkpoints", "Quantization", "SourceWeights", "Tensors", "FixtureChecks",
      "FixtureSupport", system,
    ]
  ),
  (
    "ModelFamiliesTests",
    [
      "Bytes", "Checkpoints", "ModelFamilies", "ReferenceModel", "SourceWeights", "Tensors",
      "FixtureChecks", "FixtureSupport", system,
    ]
  ),
  ("ExtraFixturesTests", ["Bytes", "Checkpoints", "FixtureChecks", system]),
  (
    "ValidationTests",
    ["Bytes", "Quantization", "ReferenceModel", "Tensors", "Validation", "FixtureSupport"]
  ),
  (
    "ContainerTests",
    ["Bytes", "Checkpoints", "Container", "Quantization", "Tensors", "FixtureSupport", system]
  ),
  (
    "ConversionTests",
    [
      "Bytes", "Checkpoints", "Container", "Conversion", "ModelFamilies", "Quantization",
      "ReferenceModel", "SourceWeights", "Tensors", "Validation", "FixtureSupport", system,
    ]
  ),
  (
    "CommandTests",
    ["kelter", "Bytes", "Checkpoints", "Tensors", "FixtureSupport", system]
  ),
]

/// libFuzzer targets and what they share, one folder each under Tests/Fuzz; part of the package for
/// scripts/fuzz only.
let fuzzers: [(name: String, dependencies: [Target.Dependency])] =
  Context.environment["KELTER_FUZZ"] == nil
  ? []
  : [
    ("FuzzFixture", ["Bytes", system]),
    ("FuzzArchive", ["Bytes", "Container", "FuzzFixture"]),
    ("FuzzContainer", ["Bytes", "Container", "FuzzFixture"]),
    ("FuzzGGUF", ["Checkpoints", "Tensors", system]),
    ("FuzzPickle", ["Checkpoints", "Tensors", system]),
    ("FuzzSafetensors", ["Checkpoints", "Tensors", system]),
  ]

let package = Package(
  name: "kelter",
  products: [
    .executable(name: "kelter", targets: ["kelter"]),
    .library(name: "Conversion", targets: ["Conversion"]),
  ] + fuzzers.map { .library(name: $0.name, type: .static, targets: [$0.name]) },
  dependencies: [
    // Paths, file descriptors and errno.
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    // The command line.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // Recipes and budgets are YAML.
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    // SHA-256 of `--sha256`.
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
  ],
  targets: [
    .target(name: "CKernels"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
  ]
    + modules.map {
      .target(name: $0.name, dependencies: $0.dependencies, swiftSettings: strict)
    }
    + [
      .executableTarget(
        name: "kelter",
        dependencies: [
          "Bytes", "Checkpoints", "Container", "Conversion", "ModelFamilies", "Quantization",
          "Validation", argumentParser, system,
        ],
        swiftSettings: strict)
    ]
    + testSupport.map {
      .target(
        name: $0.name, dependencies: $0.dependencies, path: "Tests/\($0.name)",
        swiftSettings: strict)
    }
    + tests.map {
      .testTarget(name: $0.name, dependencies: $0.dependencies, swiftSettings: strict)
    }
    + fuzzers.map {
      .target(
        name: $0.name, dependencies: $0.dependencies,
        path: "Tests/Fuzz/\($0.name.dropFirst("Fuzz".count))", swiftSettings: strict)
    }
)
