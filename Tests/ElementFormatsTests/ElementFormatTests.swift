import ElementFormats
import FixtureSupport
import Foundation
import Testing

/// The codecs against ml_dtypes.
@Suite struct ElementFormatTests {
  static func bytes(_ name: String) throws -> [UInt8] {
    let path = "\(Fixtures.path("element-formats/" + name))"
    return try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
  }

  static func floats(_ name: String) throws -> [Float] {
    let bytes = try bytes(name)
    return stride(from: 0, to: bytes.count, by: 4).map { start in
      Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * $1) })
    }
  }

  /// The same number, sign of zero included, or both NaN with the same sign.
  static func isSame(_ left: Float, _ right: Float) -> Bool {
    left.isNaN ? right.isNaN : left.bitPattern == right.bitPattern
  }

  @Test func decodeE4M3() throws {
    for (code, value) in try Self.floats("e4m3.decoded.f32").enumerated() {
      #expect(Self.isSame(Float(E4M3(bitPattern: UInt8(code))), value), "code \(code)")
    }
  }

  @Test func decodeE5M2() throws {
    for (code, value) in try Self.floats("e5m2.decoded.f32").enumerated() {
      #expect(Self.isSame(Float(E5M2(bitPattern: UInt8(code))), value), "code \(code)")
    }
  }

  @Test func decodeE2M1() throws {
    for (code, value) in try Self.floats("e2m1.decoded.f32").enumerated() {
      #expect(Self.isSame(Float(E2M1(bitPattern: UInt8(code))), value), "code \(code)")
    }
  }

  @Test func decodeE8M0() throws {
    for (code, value) in try Self.floats("e8m0.decoded.f32").enumerated() {
      #expect(Self.isSame(Float(E8M0(bitPattern: UInt8(code))), value), "code \(code)")
    }
  }

  @Test func encodeE4M3() throws {
    let codes = try Self.bytes("e4m3.encoded")
    for (value, code) in zip(try Self.floats("sweep.f32"), codes) {
      // ml_dtypes does not saturate.
      let saturated = code & 0x7F == 0x7F && !value.isNaN ? code & 0x80 | 0x7E : code
      if E4M3(value).bitPattern != saturated { Issue.record("\(value)") }
    }
    #expect(E4M3(464).bitPattern == 0x7E)
    #expect(E4M3(-.infinity).bitPattern == 0xFE)
  }

  @Test func encodeE5M2() throws {
    let codes = try Self.bytes("e5m2.encoded")
    for (value, code) in zip(try Self.floats("sweep.f32"), codes)
    where E5M2(value).bitPattern != code {
      Issue.record("\(value)")
    }
    #expect(E5M2(61440).isInfinite)
  }

  @Test func encodeE2M1() throws {
    let codes = try Self.bytes("e2m1.encoded")
    for (value, code) in zip(try Self.floats("sweep.f32"), codes)
    where !value.isNaN && E2M1(value).bitPattern != code {
      Issue.record("\(value)")
    }
    #expect(E2M1(.nan).bitPattern == 0)
  }

  @Test func encodeE8M0() throws {
    let codes = try Self.bytes("e8m0.encoded")
    for (value, code) in zip(try Self.floats("sweep.f32"), codes)
    where !value.isSubnormal && E8M0(value).bitPattern != code {
      Issue.record("\(value)")
    }
    #expect(E8M0(0x1p-149).bitPattern == 0)
    #expect(E8M0(0x1.8p-127).bitPattern == 1)
    #expect(E8M0(0x1.7p-127).bitPattern == 0)
  }

  @Test func encodeBFloat16() throws {
    let bytes = try Self.bytes("bf16.encoded")
    for (index, value) in try Self.floats("sweep.f32").enumerated() {
      let code = UInt16(bytes[2 * index]) | UInt16(bytes[2 * index + 1]) << 8
      if BFloat16(value).bitPattern != code { Issue.record("\(value)") }
    }
  }

  /// A code encodes to itself.
  @Test func roundTrip() {
    for code in UInt8.min...UInt8.max {
      let e4m3 = E4M3(bitPattern: code)
      #expect(E4M3(Float(e4m3)) == e4m3 || e4m3.isNaN)
      let e5m2 = E5M2(bitPattern: code)
      #expect(E5M2(Float(e5m2)) == e5m2 || e5m2.isNaN)
      #expect(E2M1(Float(E2M1(bitPattern: code))) == E2M1(bitPattern: code))
      #expect(E8M0(Float(E8M0(bitPattern: code))) == E8M0(bitPattern: code))
    }
    for code in UInt16.min...UInt16.max where !Float(BFloat16(bitPattern: code)).isNaN {
      let value = BFloat16(bitPattern: code)
      if BFloat16(Float(value)) != value { Issue.record("\(code)") }
    }
  }
}
