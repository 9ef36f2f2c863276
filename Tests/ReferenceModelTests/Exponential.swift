/// e^x, for the oracles: an implementation of its own, accurate to 1e-13 for |x| < 100.
func exponential(_ x: Double) -> Double {
  // The series of a reduced argument, squared ten times.
  var sum = 1.0
  var term = 1.0
  let reduced = x / 1024
  for n in 1...20 {
    term *= reduced / Double(n)
    sum += term
  }
  for _ in 0..<10 { sum *= sum }
  return sum
}
