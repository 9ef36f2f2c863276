import ArgumentParser

/// A size as people type it: `512MiB`, `2GiB`, `2G` for the same, `500MB`, `1073741824`.
struct ByteSize: ExpressibleByArgument {
  let byteCount: Int

  init(byteCount: Int) {
    self.byteCount = byteCount
  }

  init?(argument: String) {
    let units: [(String, Int)] = [
      ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
      ("kB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("B", 1),
      ("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30), ("T", 1 << 40),
    ]
    let unit = units.first { argument.hasSuffix($0.0) } ?? ("", 1)
    guard let count = Double(argument.dropLast(unit.0.count)), count > 0,
      let byteCount = Int(exactly: (count * Double(unit.1)).rounded())
    else { return nil }
    self.byteCount = byteCount
  }

  var defaultValueDescription: String {
    byteCount % (1 << 30) == 0 ? "\(byteCount >> 30)GiB" : "\(byteCount)"
  }
}
