import CKernels

/// A type of ggml's that holds a few scales and the codes of 32 to 256 neighbours in one block.
///
/// The raw value is its number in GGUF files. Those are here that gguf-py can decode.
public enum BlockFormat: UInt32, Sendable, Hashable, CaseIterable {
  case q4_0 = 2
  case q4_1 = 3
  case q5_0 = 6
  case q5_1 = 7
  case q8_0 = 8
  case q2K = 10
  case q3K = 11
  case q4K = 12
  case q5K = 13
  case q6K = 14
  case iq2XXS = 16
  case iq2XS = 17
  case iq3XXS = 18
  case iq1S = 19
  case iq4NL = 20
  case iq3S = 21
  case iq2S = 22
  case iq4XS = 23
  case iq1M = 29
  case tq1_0 = 34
  case tq2_0 = 35
  case mxfp4 = 39
  case nvfp4 = 40

  /// The name that ggml gives it: `Q4_K`.
  public var name: String {
    switch self {
    case .q4_0: "Q4_0"
    case .q4_1: "Q4_1"
    case .q5_0: "Q5_0"
    case .q5_1: "Q5_1"
    case .q8_0: "Q8_0"
    case .q2K: "Q2_K"
    case .q3K: "Q3_K"
    case .q4K: "Q4_K"
    case .q5K: "Q5_K"
    case .q6K: "Q6_K"
    case .iq2XXS: "IQ2_XXS"
    case .iq2XS: "IQ2_XS"
    case .iq3XXS: "IQ3_XXS"
    case .iq1S: "IQ1_S"
    case .iq4NL: "IQ4_NL"
    case .iq3S: "IQ3_S"
    case .iq2S: "IQ2_S"
    case .iq4XS: "IQ4_XS"
    case .iq1M: "IQ1_M"
    case .tq1_0: "TQ1_0"
    case .tq2_0: "TQ2_0"
    case .mxfp4: "MXFP4"
    case .nvfp4: "NVFP4"
    }
  }

  /// The number of elements of a block.
  public var elementsPerBlock: Int {
    switch self {
    case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .iq4NL, .mxfp4: 32
    case .nvfp4: 64
    default: 256
    }
  }

  /// The size of a block in bytes.
  public var bytesPerBlock: Int {
    switch self {
    case .q4_0, .iq4NL: 18
    case .q4_1: 20
    case .q5_0: 22
    case .q5_1: 24
    case .q8_0: 34
    case .q2K: 84
    case .q3K, .iq3S: 110
    case .q4K: 144
    case .q5K: 176
    case .q6K: 210
    case .iq2XXS, .tq2_0: 66
    case .iq2XS: 74
    case .iq3XXS: 98
    case .iq1S: 50
    case .iq2S: 82
    case .iq4XS: 136
    case .iq1M: 56
    case .tq1_0: 54
    case .mxfp4: 17
    case .nvfp4: 36
    }
  }

  /// Decodes blocks that follow each other, to the bits that gguf-py decodes them to.
  ///
  /// - Precondition: `blocks` holds whole blocks, and `values` has room for exactly their elements.
  public func decode(_ blocks: Span<UInt8>, into values: inout MutableSpan<Float>) {
    let count = blocks.count / bytesPerBlock
    precondition(blocks.count == count * bytesPerBlock)
    precondition(values.count == count * elementsPerBlock)
    let status: CInt = unsafe blocks.withUnsafeBufferPointer { source in
      unsafe values.withUnsafeMutableBufferPointer { target in
        guard let bytes = source.baseAddress, let floats = target.baseAddress else { return 0 }
        return unsafe ck_decode_blocks(ck_block_type(rawValue: rawValue), bytes, count, floats)
      }
    }
    precondition(status == 0)
  }
}
