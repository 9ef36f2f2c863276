import Bytes
import SystemPackage

/// What a GGUF file says of the parts that its model was split into by gguf-split.
struct GGUFSplit {
  let partCount: Int
  /// The tensors of all parts together.
  let tensorCount: Int?

  /// The paths of all parts: `NAME-00001-of-00003.gguf` and so on, beside the one that is given.
  func parts(of path: FilePath) throws(CheckpointsError) -> [FilePath] {
    let name = path.lastComponent?.string ?? ""
    let all = Self.digits(partCount)
    let ending = name.suffix("-00001-of-00001.gguf".count)
    guard (1...99999).contains(partCount), ending.count == 20,
      ending.hasSuffix("-of-\(all).gguf"), ending.hasPrefix("-"),
      let number = Int(ending.dropFirst().prefix(5)), (1...partCount).contains(number)
    else {
      throw Self.wrongPart(
        path,
        "it is one of \(partCount) parts by its split.count, and its name does not end in "
          + "-NUMBER-of-\(all).gguf; give it the name that it was released under")
    }
    let base = name.dropLast(20)
    return (1...partCount).map {
      path.removingLastComponent().appending("\(base)-\(Self.digits($0))-of-\(all).gguf")
    }
  }

  /// Checks that a file is the part that its name says.
  func check(part: Int, header: GGUFFile) throws(CheckpointsError) {
    let number = header.metadata["split.no"]?.int
    guard number == part, header.split?.partCount == partCount else {
      throw Self.wrongPart(
        header.path,
        "its split.no and split.count are \(number.map(String.init) ?? "missing") and "
          + "\(header.split.map { "\($0.partCount)" } ?? "missing"), where its name says \(part) "
          + "and \(partCount)")
    }
  }

  func check(tensorCount: Int, of path: FilePath) throws(CheckpointsError) {
    guard let wanted = self.tensorCount, wanted != tensorCount else { return }
    throw Self.wrongPart(
      path,
      "split.tensors.count is \(wanted), and the parts hold \(tensorCount) tensors; fetch all of "
        + "them again")
  }

  private static func wrongPart(_ path: FilePath, _ reason: String) -> CheckpointsError {
    .gguf(GGUFError(file: path, byteOffset: 0, problem: .wrongPart(reason: reason)))
  }

  private static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 5 - text.count)) + text
  }
}

extension GGUFFile {
  /// What the file says of its parts; nil for one that says nothing.
  var split: GGUFSplit? {
    metadata["split.count"]?.int.map {
      GGUFSplit(partCount: $0, tensorCount: metadata["split.tensors.count"]?.int)
    }
  }
}
