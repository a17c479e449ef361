import OrielTelemetry
import Testing

@Suite struct JSONTests {
    /// Reads any value into the attribute type, which is close enough to JSON's own.
    private func read(_ text: String, maximumDepth: Int = 128) throws(JSONError) -> AttributeValue {
        let bytes = Array(text.utf8)
        var reader = JSONReader(maximumDepth: maximumDepth)
        let value = try JSONTests.value(&reader, bytes.span)
        try reader.finish(in: bytes.span)
        return value
    }

    static func value(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(JSONError) -> AttributeValue {
        switch try reader.peekKind(in: bytes) {
        case .null:
            _ = try reader.skipNull(in: bytes)
            return .empty
        case .bool: return .bool(try reader.bool(in: bytes))
        case .number: return .double(try reader.double(in: bytes))
        case .string: return .string(try reader.string(in: bytes))
        case .array:
            var elements: [AttributeValue] = []
            try reader.beginArray(in: bytes)
            while try reader.nextElement(in: bytes) { elements.append(try value(&reader, bytes)) }
            return .array(elements)
        case .object:
            var members: [Attribute] = []
            try reader.beginObject(in: bytes)
            while let key = try reader.nextKey(in: bytes) {
                members.append(Attribute(reader.string(key, in: bytes), try value(&reader, bytes)))
            }
            return .map(members)
        }
    }

    @Test func readsEveryKind() throws {
        let value = try read(#" { "a" : [ 1 , -2.5e3, true, false, null, "x" ] , "b":{}, "c":[] } "#)
        #expect(
            value
                == .map([
                    Attribute("a", [1.0, -2500.0, true, false, .empty, "x"]), Attribute("b", .map([])), Attribute("c", .array([])),
                ]))
    }

    @Test func readsEscapesAndSurrogatePairs() throws {
        #expect(try read(#""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00""#) == .string("\"\\/\u{8}\u{c}\n\r\té😀"))
        #expect(try read(#""\uD83Dx\uDE00""#) == .string("\u{FFFD}x\u{FFFD}"))
        #expect(try read(#""\uD83D\u0041""#) == .string("\u{FFFD}A"))
    }

    @Test(arguments: [
        "", "{", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "01", "-", "1.", "1e", "+1", ".5", "nul", "tru", "\"", "\"\\x\"", "\"\\u12g4\"",
        "\"\u{1}\"",
        "[1]]", "{} {}", "NaN", "'a'", "{a:1}",
    ])
    func refusesWhatIsNoJSON(_ text: String) {
        #expect(throws: JSONError.self) { try read(text) }
        // Skipping checks the same grammar.
        #expect(throws: JSONError.self) {
            let bytes = Array(text.utf8)
            var reader = JSONReader()
            try reader.skipValue(in: bytes.span)
            try reader.finish(in: bytes.span)
        }
    }

    @Test func namesThePlaceOfAnError() {
        #expect(throws: JSONError(.unexpectedByte(UInt8(ascii: "x"), expected: "a value"), offset: 6)) { try read(#"{"a": x}"#) }
        #expect(throws: JSONError(.trailingBytes, offset: 3)) { try read("{} x") }
    }

    @Test func boundsTheDepthOfWhatIsEnteredButNotOfWhatIsSkipped() throws {
        let nested = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        #expect(throws: JSONError(.nestingTooDeep(limit: 128), offset: 128)) { try read(nested) }
        var reader = JSONReader()
        let bytes = Array(nested.utf8)
        try reader.skipValue(in: bytes.span)
        try reader.finish(in: bytes.span)
    }

    @Test func readsIntegersFromNumbersAndStrings() throws {
        func integer(_ text: String) throws -> Int64 {
            var reader = JSONReader()
            let bytes = Array(text.utf8)
            return try reader.integer(in: bytes.span)
        }
        #expect(try integer("9223372036854775807") == .max)
        #expect(try integer("\"-9223372036854775808\"") == .min)
        #expect(try integer("1.0") == 1)
        #expect(try integer("\"1e3\"") == 1000)
        for wrong in ["9223372036854775808", "1.5", "\"\"", "\"1 \"", "\"0x1\"", "\"NaN\"", "true"] {
            #expect(throws: JSONError.self) { try integer(wrong) }
        }
    }

    @Test func writesNumbersThatReadBack() throws {
        var writer = JSONWriter()
        let values: [Double] = [
            0, -0.0, 1, 0.1, 1e300, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1.0 / 3, -1e21, 123_456_789_012_345_680, -0x1p63, 0x1p63, 0x1p53, -0x1p53,
            0x1p53 - 1, 1 - 0x1p53, 10, -1_234_567,
        ]
        writer.array { writer in
            for value in values { writer.double(value) }
            writer.double(.infinity)
            writer.double(-.infinity)
            writer.double(.nan)
        }
        var reader = JSONReader()
        let bytes = writer.bytes
        try reader.beginArray(in: bytes.span)
        var read: [Double] = []
        while try reader.nextElement(in: bytes.span) { read.append(try reader.double(in: bytes.span)) }
        #expect(read.prefix(values.count).map(\.bitPattern) == values.map(\.bitPattern))
        #expect(read[values.count] == .infinity && read[values.count + 1] == -.infinity && read[values.count + 2].isNaN)
    }

    @Test func writesIntegersOfEveryWidth() {
        var writer = JSONWriter()
        writer.array { writer in
            for value in [0, 9, 10, -10, 1_000, 65_536, .max, .min] { writer.integer(value) }
            writer.integer(UInt8.max)
            writer.integer(Int8.min)
            writer.integer(UInt64.max)
            writer.quotedInteger(Int64.min)
        }
        #expect(writer.text == #"[0,9,10,-10,1000,65536,\#(Int.max),\#(Int.min),255,-128,18446744073709551615,"-9223372036854775808"]"#)
    }

    @Test func typedDoublesLookLikeDoubles() {
        var writer = JSONWriter()
        writer.array { writer in
            for value in [-0.0, 0, 3, 1e20, 0.5] { writer.typedValue(.double(value)) }
            writer.double(-0.0)
            writer.double(3)
        }
        #expect(
            writer.text
                == #"[{"doubleValue":-0.0},{"doubleValue":0.0},{"doubleValue":3.0},{"doubleValue":1e+20},{"doubleValue":0.5},-0.0,3]"#)
    }

    @Test func everyByteReadsBackWhereverItStands() throws {
        for byte in UInt8.min...UInt8.max {
            for length in 1...17 {
                for place in 0..<length {
                    var text = [UInt8](repeating: UInt8(ascii: "a"), count: length)
                    text[place] = byte
                    #expect(text.span.isASCII == (byte < 0x80))
                    var writer = JSONWriter()
                    writer.array { writer in
                        writer.string(text.span)
                        writer.string(String(decoding: text, as: UTF8.self))
                    }
                    var reader = JSONReader()
                    let bytes = writer.bytes
                    try reader.beginArray(in: bytes.span)
                    var read: [String] = []
                    while try reader.nextElement(in: bytes.span) { read.append(try reader.string(in: bytes.span)) }
                    #expect(read == Array(repeating: String(decoding: text, as: UTF8.self), count: 2), "byte \(byte) at \(place) of \(length)")
                }
            }
        }
    }

    @Test func writesStructureWithoutStrayCommas() {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("a")
            writer.array { writer in
                writer.object { _ in }
                writer.integer(-12)
                writer.quotedInteger(UInt64.max)
                writer.null()
            }
            writer.key("q\"")
            writer.string("line\n\u{1}\\é")
            writer.key("b")
            writer.base64([0xFF, 0xFE].span)
            writer.key("h")
            writer.hexadecimal([0x0A, 0xB0].span)
        }
        #expect(
            writer.text
                == #"{"a":[{},-12,"18446744073709551615",null],"q\"":"line\n\u0001\\é","b":"//4=","h":"0ab0"}"#)
    }

    @Test(arguments: [UInt64(1), 2, 3, 4])
    func randomTextNeverCrashesAndValidTextReadsBack(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<(300 * Fuzz.rounds) {
            let value = random.attributeValue(depth: 4)
            var writer = JSONWriter()
            writer.value(value)
            _ = try read(writer.text)
            var bytes = writer.bytes
            guard !bytes.isEmpty else { continue }
            for _ in 0..<3 { bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random) }
            var reader = JSONReader()
            do {
                _ = try JSONTests.value(&reader, bytes.span)
            } catch {
                #expect(error.offset <= bytes.count, "seed \(seed)")
            }
        }
    }

    @Test func base64ReadsBothAlphabetsAndRefusesTheRest() {
        for length in 0..<20 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 250) }
            var text: [UInt8] = []
            Base64.append(bytes.span, to: &text)
            #expect(text.count == (length + 2) / 3 * 4)
            #expect(Base64.decode(text.span) == bytes)
        }
        #expect(Base64.decode(Array("-_8".utf8).span) == [0xFB, 0xFF])
        for wrong in ["A", "AB=C", "A B=", "====", "é"] { #expect(Base64.decode(Array(wrong.utf8).span) == nil) }
    }
}
