internal import Foundation

/// Numbers as people read them.
package enum Figures {
  /// A number with so many digits after the point, or `–` for none.
  package static func fixed(_ value: Double?, digits: Int) -> String {
    guard let value, value.isFinite else { return "–" }
    return String(format: "%.\(digits)f", value)
  }

  /// An error: four digits after the point, `0` if it is exactly that, and an exponent where four
  /// digits would hide it.
  package static func error(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "not finite" }
    if value == 0 { return "0" }
    return value.magnitude < 0.001
      ? String(format: "%.1e", value) : String(format: "%.4f", value)
  }

  /// A share in per cent, one digit.
  package static func percent(_ share: Double?) -> String {
    guard let share, share.isFinite else { return "–" }
    return String(format: "%.1f %%", share * 100)
  }

  /// A size with a decimal unit, as disks and model pages count: `671.0 GB`.
  package static func bytes(_ count: Int) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"]
    var value = Double(count)
    var unit = 0
    while value >= 999.95 && unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return unit == 0 ? "\(count) B" : String(format: "%.1f %@", value, units[unit])
  }

  /// A count with a decimal unit: `671.0 B` parameters are written `671.0B`.
  package static func count(_ count: Int) -> String {
    let units = ["", "K", "M", "B", "T"]
    var value = Double(count)
    var unit = 0
    while value >= 999.95 && unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return unit == 0 ? "\(count)" : String(format: "%.1f%@", value, units[unit])
  }

  /// The value at a share of the way through the sorted values, by nearest rank.
  package static func quantile(_ share: Double, of values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
  }
}
