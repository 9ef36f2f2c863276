/// libFuzzer calls this with whole files that it made up; a trap is a finding. The seeds and the
/// probe are those of GGUFMutationTests.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzGGUF(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count)
  if !probeGGUF(unsafe bytes.bytes) { fatalError("accepted what it should refuse") }
  return 0
}
