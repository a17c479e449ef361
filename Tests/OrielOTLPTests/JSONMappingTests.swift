import OrielOTLP
import OrielOTLPMessages
import OrielTelemetry
import Testing

/// What OTLP/JSON allows besides what we write, and what it does not.
@Suite struct JSONMappingTests {
    private static let ids = #""traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"a1a2a3a4a5a6a7a8""#

    private func traces(_ text: String) throws(OTLPError) -> DecodedTraces {
        var decoder = OTLPDecoder()
        let bytes = Array(text.utf8)
        return try decoder.traces(json: bytes.span)
    }

    private func span(_ members: String) throws -> OTLPSpan {
        let decoded = try traces(#"{"resourceSpans":[{"scopeSpans":[{"spans":[{\#(JSONMappingTests.ids)\#(members.isEmpty ? "" : ",")\#(members)}]}]}]}"#)
        try #require(decoded.batch.count == 1, "\(decoded.rejections)")
        return decoded.batch.span(at: 0)
    }

    @Test func anEmptyRequest() throws {
        #expect(try traces("{}").batch.count == 0)
        #expect(try traces(#" {"resourceSpans":null} "#).batch.count == 0)
        #expect(try traces(#"{"resourceSpans":[{},null,{"scopeSpans":[{}]}]}"#).batch.count == 0)
    }

    @Test func lenientForms() throws {
        #expect(try span(#""kind":"SPAN_KIND_CLIENT""#).kind == 3)
        #expect(try span(#""kind":"CLIENT""#).kind == 3)
        #expect(try span(#""kind":"4""#).kind == 4)
        #expect(try span(#""status":{"code":"STATUS_CODE_ERROR"}"#).statusCode == 2)
        #expect(try span(#""startTimeUnixNano":5,"endTimeUnixNano":"9""#).endTime == Timestamp(nanoseconds: 9))
        #expect(try span(#""flags":"257","droppedEventsCount":"3""#).flags == 257)
        #expect(try span(#""parentSpanId":"","name":null"#).parentSpanID == .zero)
        #expect(try span(#""parentSpanId":"A1B2C3D4E5F60718""#).parentSpanID == SpanID(rawValue: 0xA1B2_C3D4_E5F6_0718))
        #expect(try span(#""unknown":{"deep":[1,{"x":null}]},"trace_state":"snake","nam\u0065":"é\ud83d\ude00""#).name == "é😀")
    }

    @Test func attributeValues() throws {
        func value(_ json: String) throws -> AttributeValue? {
            try span(#""attributes":[{"key":"k","value":\#(json)}]"#).attributes.first?.value
        }
        #expect(try value(#"{"stringValue":"x"}"#) == "x")
        #expect(try value(#"{"intValue":5}"#) == 5)
        #expect(try value(#"{"intValue":"-9223372036854775808"}"#) == .int(.min))
        #expect(try value(#"{"intValue":0}"#) == 0)
        #expect(try value(#"{"boolValue":false}"#) == false)
        #expect(try value(#"{"doubleValue":1e3}"#) == 1000.0)
        #expect(try value(#"{"doubleValue":"Infinity"}"#) == .double(.infinity))
        #expect(try value(#"{"doubleValue":"-Infinity"}"#) == .double(-.infinity))
        if case .double(let number)? = try value(#"{"doubleValue":"NaN"}"#) { #expect(number.isNaN) } else { Issue.record("no double") }
        #expect(try value(#"{"bytesValue":"AP8="}"#) == .bytes([0, 255]))
        #expect(try value(#"{"arrayValue":{"values":[{"intValue":1},{},null]}}"#) == [1, .empty, .empty])
        #expect(try value(#"{"kvlistValue":{"values":[{"key":"a","value":{"boolValue":true}}]}}"#) == .map([Attribute("a", true)]))
        #expect(try value("{}") == .empty)
        #expect(try value("null") == .empty)
    }

    @Test(arguments: [
        (#""traceId":"xyz""#, "traceId"), (#""name":5"#, "name"), (#""attributes":{}"#, "attributes"),
        (#""attributes":[{"key":"a"},{"value":{"bytesValue":"%"}}]"#, "attributes[1].value.bytesValue"), (#""kind":"NO_SUCH""#, "kind"),
        (#""kind":1.5"#, "kind"), (#""flags":4294967296"#, "flags"), (#""flags":-1"#, "flags"),
        (#""startTimeUnixNano":"18446744073709551616""#, "startTimeUnixNano"), (#""status":{"code":x}"#, "status.code"),
    ])
    func errorsNameTheKeysAndTheOffset(_ member: String, _ path: String) throws {
        let text = #"{"resourceSpans":[{"scopeSpans":[{},{"spans":[{\#(member)}]}]}]}"#
        let error = try #require(throws: OTLPError.self) { try traces(text) }
        #expect(error.path == "resourceSpans[0].scopeSpans[1].spans[0]." + path)
        #expect(error.offset >= 47 && error.offset <= text.utf8.count, "\(error)")
    }

    @Test func aNestingBombRejectsItsRowOnly() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: #"{"arrayValue":{"values":["#, count: depth) + #"{"intValue":1}"# + String(repeating: "]}}", count: depth)
        }
        func row(_ depth: Int) -> String { #"{\#(JSONMappingTests.ids),"attributes":[{"key":"k","value":\#(nested(depth))}]}"# }
        let decoded = try traces(#"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(row(64)),\#(row(65)),\#(row(100_000)),\#(row(1))]}]}]}"#)
        #expect(decoded.batch.count == 2 && decoded.rejections.count == 2)
        #expect(decoded.batch.columnBatch.hasConsistentCounts)
        let written = OTLPEncoder.traces(decoded.batch, format: .json)
        var decoder = OTLPDecoder()
        #expect(try decoder.traces(json: written.span).batch.span(at: 0) == decoded.batch.span(at: 0))
    }

    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6]) func damagedTextNeverCrashes(_ seed: UInt64) throws {
        var random = RandomMessages(seed: seed)
        let groups = random.groups { $0.span() }
        let text = OTLPEncoder.traces(groups, format: .json)
        var decoder = OTLPDecoder()
        for _ in 0..<(40 * Fuzz.rounds) {
            var damaged = text
            for _ in 0..<random.count(1...4) { damaged[random.count(0...(damaged.count - 1))] = UInt8(random.count(0...255)) }
            if random.chance(30) { damaged.removeLast(random.count(0...(damaged.count - 1))) }
            do {
                let decoded = try decoder.traces(json: damaged.span)
                #expect(decoded.batch.columnBatch.hasConsistentCounts, "seed \(seed)")
            } catch {
                #expect(error.offset <= damaged.count, "seed \(seed)")
            }
        }
    }
}
