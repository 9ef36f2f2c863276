import CKernels
import Container

/// Which Kelter this is.
public enum Version {
  /// The package's version.
  public static let package = "0.1.0"

  /// The package's version, that of the format it writes, and the kernels in use.
  public static var description: String {
    let kernels =
      switch ck_isa_in_use() {
      case CK_ISA_AVX512: "AVX-512"
      case CK_ISA_AVX2: "AVX2"
      default: "portable"
      }
    return "kelter \(package) (.kelter format \(ContainerFormat.major).\(ContainerFormat.minor),"
      + " \(kernels) kernels)"
  }
}
