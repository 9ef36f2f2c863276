/// libFuzzer calls this with whole files that it made up; a trap is a finding. The seeds and the
/// probe are those of MutationTests.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSafetensors(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count)
  if !probeSafetensors(unsafe bytes.bytes) { fatalError("accepted what it should refuse") }
  return 0
}
