import CKernels
import Container

/// Which Kelter this is.
public enum Version {
  /// The package's version.
  public static let package = "0.1.0"

  /// The package's version, that of the format it writes, and the kernels in use.
  public static var description: String {
    let kernels = ck_isa_in_use() == CK_ISA_AVX2 ? "AVX2" : "portable"
    return "kelter \(package) (.kelter format \(ContainerFormat.major).\(ContainerFormat.minor),"
      + " \(kernels) kernels)"
  }
}
