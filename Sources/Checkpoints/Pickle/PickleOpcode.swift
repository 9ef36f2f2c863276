/// The opcodes of protocols 2 to 5 that weights need. Source: Lib/pickletools.py of CPython.
enum PickleOpcode: UInt8 {
  case mark = 0x28, stop = 0x2E, pop = 0x30, popMark = 0x31, duplicate = 0x32
  case binFloat = 0x47, binInt = 0x4A, binInt1 = 0x4B, binInt2 = 0x4D, none = 0x4E
  case binPersistentID = 0x51, reduce = 0x52
  case binString = 0x54, shortBinString = 0x55, binUnicode = 0x58
  case binBytes = 0x42, shortBinBytes = 0x43
  case append = 0x61, build = 0x62, global = 0x63, dict = 0x64, appends = 0x65
  case binGet = 0x68, longBinGet = 0x6A, list = 0x6C
  case binPut = 0x71, longBinPut = 0x72, setItem = 0x73, tuple = 0x74, setItems = 0x75
  case emptyTuple = 0x29, emptyList = 0x5D, emptyDict = 0x7D
  case proto = 0x80, tuple1 = 0x85, tuple2 = 0x86, tuple3 = 0x87
  case newTrue = 0x88, newFalse = 0x89, long1 = 0x8A
  case shortBinUnicode = 0x8C, binUnicode8 = 0x8D, stackGlobal = 0x93, memoize = 0x94
  case frame = 0x95

  /// The name that pickletools gives it.
  var name: String {
    switch self {
    case .mark: "MARK"
    case .stop: "STOP"
    case .pop: "POP"
    case .popMark: "POP_MARK"
    case .duplicate: "DUP"
    case .binFloat: "BINFLOAT"
    case .binInt: "BININT"
    case .binInt1: "BININT1"
    case .binInt2: "BININT2"
    case .none: "NONE"
    case .binPersistentID: "BINPERSID"
    case .reduce: "REDUCE"
    case .binString: "BINSTRING"
    case .shortBinString: "SHORT_BINSTRING"
    case .binUnicode: "BINUNICODE"
    case .binBytes: "BINBYTES"
    case .shortBinBytes: "SHORT_BINBYTES"
    case .append: "APPEND"
    case .build: "BUILD"
    case .global: "GLOBAL"
    case .dict: "DICT"
    case .appends: "APPENDS"
    case .binGet: "BINGET"
    case .longBinGet: "LONG_BINGET"
    case .list: "LIST"
    case .binPut: "BINPUT"
    case .longBinPut: "LONG_BINPUT"
    case .setItem: "SETITEM"
    case .tuple: "TUPLE"
    case .setItems: "SETITEMS"
    case .emptyTuple: "EMPTY_TUPLE"
    case .emptyList: "EMPTY_LIST"
    case .emptyDict: "EMPTY_DICT"
    case .proto: "PROTO"
    case .tuple1: "TUPLE1"
    case .tuple2: "TUPLE2"
    case .tuple3: "TUPLE3"
    case .newTrue: "NEWTRUE"
    case .newFalse: "NEWFALSE"
    case .long1: "LONG1"
    case .shortBinUnicode: "SHORT_BINUNICODE"
    case .binUnicode8: "BINUNICODE8"
    case .stackGlobal: "STACK_GLOBAL"
    case .memoize: "MEMOIZE"
    case .frame: "FRAME"
    }
  }

  /// What to call an opcode that is not among them.
  static func name(ofRefused byte: UInt8) -> String {
    let known: [UInt8: String] = [
      0x46: "FLOAT", 0x49: "INT", 0x4C: "LONG", 0x50: "PERSID", 0x53: "STRING", 0x56: "UNICODE",
      0x67: "GET", 0x69: "INST", 0x6F: "OBJ", 0x70: "PUT", 0x81: "NEWOBJ", 0x82: "EXT1",
      0x83: "EXT2", 0x84: "EXT4", 0x8B: "LONG4", 0x8E: "BINBYTES8", 0x8F: "EMPTY_SET",
      0x90: "ADDITEMS", 0x91: "FROZENSET", 0x92: "NEWOBJ_EX", 0x96: "BYTEARRAY8",
      0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
    ]
    return known[byte] ?? "0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
  }
}
