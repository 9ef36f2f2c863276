extension String {
  /// Whether it can name a file in a folder, and nothing outside of it: one component, not `.` nor
  /// `..`.
  var isFileName: Bool {
    !isEmpty && self != "." && self != ".."
      && !utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
  }
}
