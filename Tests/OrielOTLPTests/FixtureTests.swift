import OrielOTLP
import OrielOTLPMessages
import OrielTelemetry
import Testing

/// What the official protobuf classes wrote (Fixtures/generate.py), against values spelled out here.
@Suite struct FixtureTests {
    private static let start: Int64 = 1_720_000_000_000_000_000
    private static let traceID = TraceID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10)
    private static let spanID = SpanID(rawValue: 0xA1A2_A3A4_A5A6_A7A8)
    private static let parentID = SpanID(rawValue: 0xB1B2_B3B4_B5B6_B7B8)
    private static let attributes: [Attribute] = [
        Attribute("string", "text é"), Attribute("true", true), Attribute("false", false), Attribute("int", -5), Attribute("double", 2.5),
        Attribute("bytes", .bytes([0, 255])), Attribute("array", [1, "x", .empty]), Attribute("map", .map([Attribute("inner", true)])),
        Attribute("empty", .empty),
    ]
    private static let resource = Resource(
        attributes: attributes + [Attribute("service.name", "shop")], droppedAttributesCount: 3,
        entityReferences: [
            hex("0a0e68747470733a2f2f656e74697479 120773657276696365 1a0c736572766963652e6e616d65 2206737472696e67")
        ], schemaURL: "https://resource")
    private static let scope = InstrumentationScope(
        name: "lib", version: "1.2", attributes: [Attribute("scope.key", 9)], droppedAttributesCount: 4, schemaURL: "https://scope")

    @Test func spans() throws {
        var decoder = OTLPDecoder()
        let decoded = try decoder.traces(hex(GeneratedFixtures.traces).span)
        let span = OTLPSpan(
            traceID: FixtureTests.traceID, spanID: FixtureTests.spanID, parentSpanID: FixtureTests.parentID, traceState: "a=b", name: "GET /",
            kind: 2, startTime: Timestamp(nanoseconds: FixtureTests.start), endTime: Timestamp(nanoseconds: FixtureTests.start + 5_000_000),
            attributes: FixtureTests.attributes, droppedAttributesCount: 1,
            events: [
                OTLPSpanEvent(
                    time: Timestamp(nanoseconds: FixtureTests.start + 1), name: "exception", attributes: FixtureTests.attributes,
                    droppedAttributesCount: 7)
            ], droppedEventsCount: 2,
            links: [
                OTLPSpanLink(
                    traceID: FixtureTests.traceID, spanID: FixtureTests.parentID, traceState: "c=d", attributes: FixtureTests.attributes,
                    droppedAttributesCount: 8, flags: 0x100)
            ], droppedLinksCount: 3, statusCode: 2, statusMessage: "broken", flags: 0x301)
        #expect(decoded.rejections.isEmpty)
        #expect(try decoded.batch.groups() == [OTLPScopeGroup(resource: FixtureTests.resource, scope: FixtureTests.scope, rows: [span])])
        #expect(decoded.batch.durations == [5_000_000])
    }

    @Test func logRecords() throws {
        var decoder = OTLPDecoder()
        let now = Timestamp(nanoseconds: 77)
        let decoded = try decoder.logs(hex(GeneratedFixtures.logs).span, receiveTime: now)
        let record = OTLPLogRecord(
            time: Timestamp(nanoseconds: FixtureTests.start), observedTime: Timestamp(nanoseconds: FixtureTests.start + 9), severityNumber: 17,
            severityText: "ERROR", body: .map([Attribute("k", -0.5)]), attributes: FixtureTests.attributes, droppedAttributesCount: 2, flags: 1,
            traceID: FixtureTests.traceID, spanID: FixtureTests.spanID, eventName: "device.crash")
        #expect(decoded.rejections.isEmpty)
        #expect(
            try decoded.batch.groups() == [
                OTLPScopeGroup(resource: FixtureTests.resource, scope: FixtureTests.scope, rows: [record, OTLPLogRecord(body: "plain")])
            ])
        #expect(decoded.batch.times == [FixtureTests.start, 77])
        #expect(decoded.batch.timeOrigins == [LogTimeOrigin.record.rawValue, LogTimeOrigin.received.rawValue])
    }

    @Test func metrics() throws {
        var options = OTLPDecoder.Options()
        options.metrics = OTLPMetricOptions(promotedResourceAttributes: [])
        var decoder = OTLPDecoder(options: options)
        let decoded = try decoder.metrics(hex(GeneratedFixtures.metrics).span, receiveTime: Timestamp(nanoseconds: 77))
        #expect(decoded.rejections.isEmpty)
        let scope = #"job="shop",otel_scope_name="lib",otel_scope_schema_url="https://scope",otel_scope_scope_key="9",otel_scope_version="1.2""#
        let plain = "{\(scope),route=\"/a\"}"
        func bucket(_ bound: String) -> String {
            #"http_duration_seconds_bucket{job="shop",le="\#(bound)",\#(scope.dropFirst(11)),route="/a"}"#
        }
        func quantile(_ quantile: String) -> String {
            #"old{\#(scope),quantile="\#(quantile)",route="/a"}"#
        }
        let values = try decoded.samples.values()
        let expected: [String: Double] = [
            "temperature_celsius\(plain)": 21.5, "http_requests_total\(plain)": 42, bucket("0.5"): 1, bucket("1"): 3, bucket("+Inf"): 6,
            "http_duration_seconds_count\(plain)": 6, "http_duration_seconds_sum\(plain)": 4.5, quantile("0.5"): 1, quantile("0.99"): 2,
            "old_count\(plain)": 3, "old_sum\(plain)": 1.5,
        ]
        #expect(values.filter { !$0.key.hasPrefix("target_info") } == expected)
        #expect(values.keys.filter { $0.hasPrefix("target_info{array=") }.count == 1)
        #expect(Set(decoded.samples.times) == [FixtureTests.start / 1_000_000])
        let histogram = try decoded.histograms.histogram(at: 0)
        #expect(
            histogram
                == NativeHistogram(
                    schema: 3, zeroThreshold: 0.25, zeroCount: 1, count: 10, sum: 5.5, positiveSpans: [.init(offset: -1, length: 2)],
                    positiveBuckets: [1, 2], negativeSpans: [.init(offset: 5, length: 1)], negativeBuckets: [300]))
        #expect(decoded.exemplars.count == 2)
        #expect(decoded.exemplars.traceIDs == [FixtureTests.traceID, FixtureTests.traceID])
        #expect(decoded.exemplars.spanIDs == [FixtureTests.spanID.rawValue, FixtureTests.spanID.rawValue])
        #expect(
            decoded.families.map(\.name) == [
                "temperature_celsius", "http_requests_total", "http_duration_seconds", "rpc_duration_seconds", "old", "target_info",
            ])
    }

    /// The other direction: what we write from the decoded batch is as long as what the official classes wrote, but for the two bytes of
    /// each value without content, which they left
    /// out and we write.
    @Test func whatIsWrittenIsWhatTheOfficialClassesWrite() throws {
        var decoder = OTLPDecoder()
        let original = hex(GeneratedFixtures.traces)
        let batch = try decoder.traces(original.span).batch
        let written = OTLPEncoder.traces(batch)
        #expect(written.count == original.count + 4 * 2)
        #expect(try decoder.traces(written.span).batch.groups() == batch.groups())
    }
}
