import OrielOTLP
import OrielOTLPMessages
import OrielTelemetry
import Testing

/// Bytes written by hand from the field tables of reference/otlp.md, read and written.
@Suite struct GoldenTests {
    /// A request of one resource and scope group around rows that are fields 2 of the scope group.
    private func request(_ rows: String) -> [UInt8] {
        let content = hex(rows)
        let scopes = [0x12, UInt8(content.count)] + content
        return [0x0A, UInt8(scopes.count)] + scopes
    }

    @Test func aSpan() throws {
        let bytes = request(
            """
            12 55
              0a 10 0102030405060708090a0b0c0d0e0f10
              12 08 a1a2a3a4a5a6a7a8
              1a 03 613d62
              22 08 b1b2b3b4b5b6b7b8
              2a 01 6e
              30 02
              39 0100000000000000
              41 0300000000000000
              50 05
              60 06
              70 07
              7a 05 12 01 78 18 02
              85 01 01020000
            """)
        let span = OTLPSpan(
            traceID: TraceID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10), spanID: SpanID(rawValue: 0xA1A2_A3A4_A5A6_A7A8),
            parentSpanID: SpanID(rawValue: 0xB1B2_B3B4_B5B6_B7B8), traceState: "a=b", name: "n", kind: 2, startTime: Timestamp(nanoseconds: 1),
            endTime: Timestamp(nanoseconds: 3), droppedAttributesCount: 5, droppedEventsCount: 6, droppedLinksCount: 7, statusCode: 2,
            statusMessage: "x", flags: 0x201)
        var decoder = OTLPDecoder()
        #expect(try decoder.traces(bytes.span).batch.span(at: 0) == span)
        // Ours differ by the empty resource and scope messages, which are written.
        let written = OTLPEncoder.traces([OTLPScopeGroup(resource: Resource(), scope: InstrumentationScope(), rows: [span])])
        #expect(written == [0x0A, bytes[1] + 4, 0x0A, 0, 0x12, bytes[3] + 2, 0x0A, 0] + bytes[4...])
    }

    @Test func anEventAndALink() throws {
        let bytes = request(
            """
            12 4e
              0a 10 0102030405060708090a0b0c0d0e0f10  12 08 a1a2a3a4a5a6a7a8
              5a 12  09 0500000000000000  12 01 65  1a 02 0a 00  20 09
              6a 1c  0a 10 ffffffffffffffffffffffffffffffff  1a 01 74  28 03  35 00010000
            """)
        var decoder = OTLPDecoder()
        let decoded = try decoder.traces(bytes.span)
        let span = try #require(decoded.batch.count == 1 ? decoded.batch.span(at: 0) : nil, "\(decoded.rejections)")
        #expect(
            span.events == [
                OTLPSpanEvent(time: Timestamp(nanoseconds: 5), name: "e", attributes: [Attribute("", .empty)], droppedAttributesCount: 9)
            ])
        #expect(
            span.links == [
                OTLPSpanLink(
                    traceID: TraceID(high: .max, low: .max), spanID: .zero, traceState: "t", droppedAttributesCount: 3, flags: 0x100)
            ])
    }

    @Test func aLogRecord() throws {
        let bytes = request(
            """
            12 46
              09 0100000000000000
              10 09
              1a 04 494e464f
              2a 04 0a 02 6869
              38 02
              45 01000000
              4a 10 0102030405060708090a0b0c0d0e0f10
              52 08 a1a2a3a4a5a6a7a8
              59 0200000000000000
              62 01 65
            """)
        var decoder = OTLPDecoder()
        let decoded = try decoder.logs(bytes.span, receiveTime: Timestamp(nanoseconds: 9))
        #expect(
            decoded.batch.record(at: 0)
                == OTLPLogRecord(
                    time: Timestamp(nanoseconds: 1), observedTime: Timestamp(nanoseconds: 2), severityNumber: 9, severityText: "INFO", body: "hi",
                    droppedAttributesCount: 2, flags: 1, traceID: TraceID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10),
                    spanID: SpanID(rawValue: 0xA1A2_A3A4_A5A6_A7A8), eventName: "e"))
    }

    @Test func everyKindOfValue() throws {
        // Attributes of a log record: field 6, each a KeyValue of key 1 and value 2.
        let values: [(String, AttributeValue)] = [
            ("0a 01 78", "x"), ("10 01", true), ("10 00", false), ("18 7f", 127), ("18 ffffffffffffffffff01", -1), ("21 000000000000f83f", 1.5),
            ("2a 04 0a 02 18 01", [1]), ("32 07 0a 05 0a 01 6b 12 00", .map([Attribute("k", .empty)])), ("3a 02 00ff", .bytes([0, 255])), ("", .empty),
            ("0a 01 78 18 02", 2), ("18 01 f201 01 79", 1),
        ]
        var decoder = OTLPDecoder()
        for (text, value) in values {
            let any = hex(text)
            let pair = [0x0A, 1, 0x6B, 0x12, UInt8(any.count)] + any
            let row = [0x32, UInt8(pair.count)] + pair
            let digits = ([0x12, UInt8(row.count)] + row).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            let bytes = request(digits.joined())
            let decoded = try decoder.logs(bytes.span, receiveTime: Timestamp(nanoseconds: 9))
            #expect(decoded.batch.attributes.attributes(of: 0) == [Attribute("k", value)], "\(text)")
        }
    }

    @Test func jsonOfTheReference() throws {
        let text = """
            {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
             "scopeSpans":[{"scope":{"name":"lib"},"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10",
             "spanId":"a1a2a3a4a5a6a7a8","name":"GET /","kind":2,"startTimeUnixNano":"1720000000000000000",
             "endTimeUnixNano":"1720000000005000000","status":{"code":1}}]}]}]}
            """
        var decoder = OTLPDecoder()
        let decoded = try decoder.traces(json: Array(text.utf8).span)
        let span = OTLPSpan(
            traceID: TraceID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10), spanID: SpanID(rawValue: 0xA1A2_A3A4_A5A6_A7A8), name: "GET /",
            kind: 2, startTime: Timestamp(nanoseconds: 1_720_000_000_000_000_000), endTime: Timestamp(nanoseconds: 1_720_000_000_005_000_000),
            statusCode: 1)
        let resource = Resource(attributes: [Attribute("service.name", "shop")])
        #expect(try decoded.batch.groups() == [OTLPScopeGroup(resource: resource, scope: InstrumentationScope(name: "lib"), rows: [span])])
        let written = OTLPEncoder.traces(decoded.batch, format: .json)
        #expect(
            String(decoding: written, as: UTF8.self) == text.split(separator: "\n").map { $0.drop { $0 == " " } }.joined())
    }
}
