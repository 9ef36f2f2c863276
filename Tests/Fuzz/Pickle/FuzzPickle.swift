/// libFuzzer calls this with whole files that it made up; a trap is a finding. The seeds and the
/// probe are those of PickleMutationTests.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPickle(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
  if !probePickle(bytes) { fatalError("accepted what it should refuse") }
  return 0
}
