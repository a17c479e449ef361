public import OrielStore
public import OrielTelemetry

/// A small shop's telemetry around one moment, the same every time: what tests of answers and of their pictures look at.
public struct ShopRows: Sendable {
    /// 2026-11-24T15:00:00Z. All rows lie in the hour before.
    public static let now = Timestamp(nanoseconds: 1_795_532_400_000_000_000)
    /// A checkout that failed at the payment, 10 s before ``now``.
    public static let failedTrace = TraceID(high: 0x0AF7_6519_16CD_43DD, low: 0x8448_EB21_1C80_319C)
    /// A visit to the cart that went well, 20 s before ``now``.
    public static let goodTrace = TraceID(high: 0x4BF9_2F35_77B3_4DA6, low: 0xA3CE_929D_0E0E_4736)

    public static func resource(_ service: String) -> Resource {
        Resource(
            attributes: [Attribute("service.name", .string(service)), Attribute("service.version", "1.4.2"), Attribute("host.cpu.count", 4)],
            schemaURL: "https://opentelemetry.io/schemas/1.27.0")
    }

    fileprivate static let scope = InstrumentationScope(name: "shop.http", version: "0.3.0", attributes: [Attribute("short", true)])

    private static func at(_ milliseconds: Double, before seconds: Int64 = 10) -> Int64 {
        now.nanoseconds - seconds * 1_000_000_000 + Int64(milliseconds * 1e6)
    }

    public static var spans: SpanBatch {
        var batch = SpanBatch()
        let failed = failedTrace
        batch.add(
            failed, 0xA1, 0, "gateway", "POST /checkout", kind: 2, start: at(0), milliseconds: 812.4, status: 2,
            attributes: [Attribute("http.request.method", "POST"), Attribute("http.response.status_code", 502), Attribute("user.id", "u-42")])
        batch.add(failed, 0xA2, 0xA1, "checkout", "POST /orders", kind: 2, start: at(3.1), milliseconds: 803.2, status: 2)
        batch.add(
            failed, 0xA3, 0xA2, "checkout", "SELECT carts", kind: 3, start: at(5), milliseconds: 12.25,
            attributes: [Attribute("db.system", "postgresql"), Attribute("db.rows", 3), Attribute("db.cost", 1.5)])
        var event = WireWriter()
        event.messageField(11) { event in
            event.fixed64Field(1, UInt64(at(778)))
            event.stringField(2, "exception")
            event.keyValues(
                3, [Attribute("exception.type", "TimeoutError"), Attribute("exception.message", "card processor did not answer in 750 ms")])
        }
        let linkedTrace: [UInt8] = Array(0..<16)
        let linkedSpan: [UInt8] = Array(0..<8)
        var link = WireWriter()
        link.messageField(13) { link in
            link.bytesField(1, linkedTrace.span)
            link.bytesField(2, linkedSpan.span)
            link.stringField(3, "vendor=1")
            link.keyValues(4, [Attribute("reason", "retry")])
        }
        batch.add(
            failed, 0xA4, 0xA2, "payment", "charge card", kind: 3, start: at(20), milliseconds: 760, status: 2,
            message: "card processor did not answer", attributes: [Attribute("retry", 2), Attribute("tags", ["a", 1])], events: event.bytes, links: link.bytes)
        batch.add(failed, 0xA5, 0xA2, "checkout", "UPDATE orders", kind: 3, start: at(790), milliseconds: 9.5)
        batch.add(
            goodTrace, 0xB1, 0, "gateway", "GET /cart", kind: 2, start: at(0, before: 20), milliseconds: 24.6,
            attributes: [Attribute("http.request.method", "GET"), Attribute("http.response.status_code", 200)])
        batch.add(goodTrace, 0xB2, 0xB1, "checkout", "SELECT carts", kind: 3, start: at(2, before: 20), milliseconds: 18)
        return batch
    }

    public static var logs: LogBatch {
        var batch = LogBatch()
        batch.add("gateway", at(0, before: 30), 5, "cache warmed", attributes: [Attribute("entries", 1_200)])
        batch.add("checkout", at(1, before: 20), 9, "cart loaded", trace: goodTrace, span: 0xB1, attributes: [Attribute("items", 3)])
        batch.add(
            "payment", at(400), 13, "card processor is slow", trace: failedTrace, span: 0xA4,
            attributes: [Attribute("waited_ms", 375), Attribute("processor", "acme")])
        batch.add("payment", at(779), 17, "charge failed\nTimeoutError: no answer in 750 ms", trace: failedTrace, span: 0xA4)
        batch.add("checkout", at(800), 17, .map([Attribute("order", 4711), Attribute("state", "failed")]), trace: failedTrace, span: 0xA2)
        return batch
    }

    public static var families: [MetricFamily] {
        [
            MetricFamily(name: "http_requests_total", kind: .counter, help: "Requests answered."),
            MetricFamily(name: "queue_depth", kind: .gauge, unit: "{job}", help: "Jobs that wait."),
            MetricFamily(name: "request_seconds", kind: .histogram, unit: "s", help: "Time to answer."),
        ]
    }

    /// A sample a minute over the hour.
    public static var samples: SampleBatch {
        var batch = SampleBatch()
        batch.add([Label("__name__", "http_requests_total"), Label("method", "GET"), Label("job", "gateway")]) { Double($0 * 120) }
        batch.add([Label("__name__", "http_requests_total"), Label("method", "POST"), Label("job", "gateway")]) { Double($0 * $0) }
        batch.add([Label("__name__", "queue_depth"), Label("job", "checkout")]) { $0 == 59 ? .staleMarker : Double(($0 % 12) * 3) }
        batch.add([Label("__name__", "request_seconds_bucket"), Label("le", "0.5")]) { Double($0) }
        batch.add([Label("__name__", "request_seconds_sum")]) { Double($0) / 4 }
        return batch
    }

    public static var histograms: HistogramBatch {
        var batch = HistogramBatch()
        let stream = batch.streams.intern(.series(unsorted: [Label("__name__", "rpc_seconds"), Label("job", "payment")]))
        for minute in 0..<3 {
            batch.append(
                NativeHistogram(
                    schema: 3, zeroThreshold: 1e-6, zeroCount: 1, count: Double(4 + minute), sum: 2.5,
                    positiveSpans: [NativeHistogram.BucketSpan(offset: -2, length: 2)], positiveBuckets: [1, Double(2 + minute)]),
                stream: stream, time: now.milliseconds - Int64(3 - minute) * 60_000)
        }
        return batch
    }

    public static var exemplars: ExemplarBatch {
        var batch = ExemplarBatch()
        let stream = batch.streams.intern(
            .series(unsorted: [Label("__name__", "http_requests_total"), Label("method", "POST"), Label("job", "gateway")]))
        batch.streamIndexes.append(UInt32(stream))
        batch.times.append(now.milliseconds - 10_000)
        batch.values.append(1)
        batch.traceIDs.append(failedTrace)
        batch.spanIDs.append(0xA1)
        batch.attributes.appendRow([Attribute("user", "u-42")])
        return batch
    }

    /// All of it as one request.
    public static var writeSet: WriteSet {
        WriteSet(
            batches: [spans.columnBatch, logs.columnBatch, samples.columnBatch, histograms.columnBatch, exemplars.columnBatch], families: families)
    }
}

extension SpanBatch {
    fileprivate mutating func add(
        _ trace: TraceID, _ id: UInt64, _ parent: UInt64, _ service: String, _ name: String, kind: Int64, start: Int64, milliseconds: Double,
        status: Int64 = 0, message: String = "", attributes: [Attribute] = [], events: [UInt8] = [], links: [UInt8] = []
    ) {
        streamIndexes.append(UInt32(streams.intern(.scope(ShopRows.resource(service), ShopRows.scope))))
        startTimes.append(start)
        traceIDs.append(trace)
        spanIDs.append(id)
        parentSpanIDs.append(parent)
        traceStates.appendEmpty()
        names.append(name)
        kinds.append(kind)
        durations.append(Int64(milliseconds * 1e6))
        statusCodes.append(status)
        statusMessages.append(message)
        flags.append(257)
        droppedAttributesCounts.append(0)
        self.events.append(events)
        droppedEventsCounts.append(0)
        self.links.append(links)
        droppedLinksCounts.append(0)
        self.attributes.appendRow(attributes)
    }
}

extension LogBatch {
    fileprivate mutating func add(
        _ service: String, _ time: Int64, _ severity: Int64, _ body: AttributeValue, trace: TraceID = .zero, span: UInt64 = 0,
        attributes: [Attribute] = []
    ) {
        streamIndexes.append(UInt32(streams.intern(.scope(ShopRows.resource(service), ShopRows.scope))))
        times.append(time)
        traceIDs.append(trace)
        spanIDs.append(span)
        severityNumbers.append(severity)
        severityTexts.append(severity == 17 ? "ERROR" : "")
        appendBody(body)
        observedTimes.append(severity == 9 ? 0 : time + 1_000)
        timeOrigins.append(0)
        flags.append(0)
        droppedAttributesCounts.append(0)
        eventNames.appendEmpty()
        self.attributes.appendRow(attributes)
    }
}

extension SampleBatch {
    fileprivate mutating func add(_ labels: [Label], _ value: (Int) -> Double?) {
        let stream = UInt32(streams.intern(.series(unsorted: labels)))
        for minute in 0..<60 {
            guard let value = value(minute) else { continue }
            streamIndexes.append(stream)
            times.append(ShopRows.now.milliseconds - Int64(60 - minute) * 60_000)
            values.append(value)
        }
    }
}
