/// What is known only after the data: it fills the fields that the plan left open.
struct WrittenResults: Sendable {
  /// For each extent how often it was written.
  var writeCounts: [Int]
  /// For each extent the XXH3-64 of all its bytes, padding included.
  var checksums: [UInt64]
  /// For each extent its SHA-256, where asked for.
  var digests: [[UInt8]]
  /// For each tensor, in the plan's order, its error.
  var errors: [ErrorRecord?]
  /// For each source the XXH3-64 of the whole file.
  var sourceChecksums: [UInt64?]
  /// Whether the index was written and all forced to the disk.
  var isSealed = false

  init(plan: ContainerPlan) {
    writeCounts = Array(repeating: 0, count: plan.extents.count)
    checksums = Array(repeating: 0, count: plan.extents.count)
    digests =
      plan.features.contains(.digests) ? Array(repeating: [], count: plan.extents.count) : []
    errors = Array(repeating: nil, count: plan.tensors.count)
    sourceChecksums = Array(repeating: nil, count: plan.sources.count)
  }
}
