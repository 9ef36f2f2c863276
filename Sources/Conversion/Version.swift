import CKernels
import Container

/// Which Kelter this is.
public enum Version {
  /// The package's version.
  public static let package = "0.1.0"

  /// The package's version, that of the format it writes, and the kernels in use.
  public static var description: String {
    let kernels = unsafe String(cString: ck_isa_name(ck_isa_in_use()))
    return "kelter \(package) (.kelter format \(ContainerFormat.major).\(ContainerFormat.minor),"
      + " \(kernels) kernels)"
  }
}
