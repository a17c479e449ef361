public import OrielStore
public import OrielTelemetry

/// Random telemetry of every signal from a small world: few streams, traces and keys, so that rows meet, and odd values, so that nothing is taken for granted. The
/// same seed gives the same rows.
///
/// Times wander forward from the start; some rows share a time, some come days late.
public struct TelemetryGenerator: Sendable {
    public var random: SplitMix64
    /// The time about which new rows lie, in nanoseconds since 1970.
    public private(set) var now: Int64
    /// The time of the first rows.
    public let start: Int64
    /// Streams of spans and log records.
    public private(set) var scopes: [StreamDescriptor] = []
    /// Streams of metrics.
    public private(set) var series: [StreamDescriptor] = []
    public private(set) var traceIDs: [TraceID] = []

    public static let services = ["cart", "checkout", "Zahlung-é", "gateway"]
    public static let keys = ["http.method", "http.status_code", "user.id", "k", "Größe", "service.name", "empty", "flag", "ratio", "tags"]
    public static let texts = [
        "", "GET", "get", "timeout after 30s", "Straße", "ÉCOLE école", "300 \u{212A}elvin", "a", "error: Disk FULL", "π≈3.14159", "\u{0}x",
    ]
    public static let numbers: [Int64] = [0, 1, -1, 200, 404, 500, .max, .min, 1 << 53, (1 << 53) + 1]
    public static let doubles: [Double] = [
        0, -0.0, 0.1, 1, 200, 3.25, -1e300, .infinity, -.infinity, .nan, .staleMarker, 0x1p63, .leastNonzeroMagnitude,
    ]

    public init(seed: UInt64, streams: Int = 12, traces: Int = 40, start: Int64 = 1_700_000_000_000_000_000) {
        random = SplitMix64(seed: seed)
        self.start = start
        now = start
        for index in 0..<streams {
            var attributes = [Attribute("service.name", .string(random.pick(TelemetryGenerator.services))), Attribute("host.id", .int(Int64(index)))]
            if random.oneIn(3) { attributes.append(Attribute("k", value(depth: 0))) }
            if random.oneIn(6) { attributes.removeFirst() }
            var scope = InstrumentationScope(name: random.pick(["lib", "", "other"]), version: random.pick(["", "1.0"]))
            if random.oneIn(3) { scope.attributes = [Attribute("k", value(depth: 0))] }
            scopes.append(.scope(Resource(attributes: attributes, schemaURL: random.pick(["", "https://example.org/1"])), scope))
            series.append(
                .series(unsorted: [
                    Label(Label.metricName, random.pick(["up", "http_requests_total", "temperature"])), Label("job", random.pick(["api", "node"])),
                    Label("instance", "host-\(index)"), Label("zone", random.pick(["", "eu", "us"])),
                ]))
        }
        for _ in 0..<traces { traceIDs.append(TraceID(high: random.next(), low: random.next() | 1)) }
    }

    /// A request with up to `rows` rows of each of some signals; time moves on.
    public mutating func writeSet(rows: Int = 40) -> WriteSet {
        now += Int64(random.below(1_800)) * 1_000_000_000
        var writeSet = WriteSet()
        for signal in Signal.allCases where !random.oneIn(3) { writeSet.batches.append(batch(signal, rows: random.below(rows + 1))) }
        return writeSet
    }

    /// A batch of one signal.
    public mutating func batch(_ signal: Signal, rows: Int) -> ColumnBatch {
        switch signal {
        case .logs: logs(rows)
        case .spans: spans(rows)
        case .samples: samples(rows)
        case .histograms: histograms(rows)
        case .exemplars: exemplars(rows)
        }
    }

    /// A time for a row, in the signal's unit.
    public mutating func time(_ signal: Signal) -> Int64 {
        let second: Int64 = 1_000_000_000
        var time = now
        // Samples that replace each other.
        if signal.isMetric, random.oneIn(4) { return start / 1_000_000 + Int64(random.below(3)) * 15_000 }
        switch random.below(10) {
        case 0..<5: time -= Int64(random.below(600)) * second
        case 5..<8: time -= Int64(random.below(4)) * 15 * second
        case 8:
            // A few moments that rows of all requests share; else odd nanoseconds.
            time = random.oneIn(2) ? start + Int64(random.below(2)) * 15 * second : time - Int64(random.below(600_000_000)) * 1_000 - Int64(random.below(1_000))
        default: time = start - Int64(random.below(3 * 86_400)) * second
        }
        return signal.isMetric ? time / 15_000_000_000 * 15_000 : time
    }

    /// An attribute value of any type.
    public mutating func value(depth: Int) -> AttributeValue {
        switch random.below(depth < 2 ? 14 : 10) {
        case 0..<4: return .string(random.pick(TelemetryGenerator.texts))
        case 4..<6: return .int(random.pick(TelemetryGenerator.numbers))
        case 6: return .double(random.pick(TelemetryGenerator.doubles))
        case 7: return .bool(random.oneIn(2))
        case 8: return .empty
        case 9: return .bytes((0..<random.below(5)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        case 10, 11: return .array((0..<random.below(4)).map { _ in value(depth: depth + 1) })
        default: return .map((0..<random.below(3)).map { Attribute("m\($0)", value(depth: depth + 1)) })
        }
    }

    private mutating func text() -> String { random.pick(TelemetryGenerator.texts) }

    private mutating func number() -> Int64 { random.oneIn(4) ? random.pick(TelemetryGenerator.numbers) : Int64(random.below(1_000)) }

    private mutating func double() -> Double { random.oneIn(4) ? random.pick(TelemetryGenerator.doubles) : Double(random.below(100_000)) / 100 }

    private mutating func attributes() -> [Attribute] {
        // Now and then so many rare keys that they cannot all have a column.
        if random.oneIn(200) { return (0..<300).map { Attribute("rare.\($0)", .int(Int64($0))) } }
        var attributes: [Attribute] = []
        for key in TelemetryGenerator.keys where random.oneIn(3) {
            let usual: AttributeValue = key == "http.status_code" ? .int(random.pick([200, 404, 500])) : .string(text())
            attributes.append(Attribute(key, random.oneIn(3) ? value(depth: 0) : usual))
        }
        return attributes
    }

    private mutating func traceID(zeroOneIn count: Int) -> TraceID { random.oneIn(count) ? .zero : random.pick(traceIDs) }

    private mutating func spans(_ rows: Int) -> ColumnBatch {
        var batch = SpanBatch()
        for _ in 0..<rows {
            batch.streamIndexes.append(UInt32(batch.streams.intern(random.pick(scopes))))
            batch.startTimes.append(time(.spans))
            batch.traceIDs.append(traceID(zeroOneIn: 50))
            batch.spanIDs.append(random.next())
            batch.parentSpanIDs.append(random.oneIn(4) ? 0 : random.next())
            batch.traceStates.append(random.oneIn(5) ? "a=1" : "")
            batch.names.append(text())
            batch.kinds.append(Int64(random.below(6)))
            batch.durations.append(random.oneIn(20) ? random.pick(TelemetryGenerator.numbers) : Int64(random.below(2_000_000_000)))
            batch.statusCodes.append(Int64(random.below(3)))
            batch.statusMessages.append(random.oneIn(4) ? text() : "")
            batch.flags.append(Int64(random.below(2)))
            batch.droppedAttributesCounts.append(Int64(random.oneIn(9) ? 3 : 0))
            batch.events.append(events())
            batch.droppedEventsCounts.append(0)
            batch.links.append(links())
            batch.droppedLinksCounts.append(Int64(random.oneIn(9) ? 1 : 0))
            batch.attributes.appendRow(attributes())
        }
        return batch.columnBatch
    }

    private mutating func events() -> [UInt8] {
        var writer = WireWriter()
        while random.oneIn(3) {
            let time = UInt64(bitPattern: now)
            let name = random.pick(["exception", "retry", ""])
            let attributes = [Attribute("exception.type", .string(text()))]
            writer.messageField(11) { writer in
                writer.fixed64Field(1, time)
                writer.stringField(2, name)
                writer.keyValues(3, attributes)
            }
        }
        return writer.bytes
    }

    private mutating func links() -> [UInt8] {
        var writer = WireWriter()
        while random.oneIn(4) {
            let trace = random.pick(traceIDs)
            let span = SpanID(rawValue: random.next())
            writer.messageField(13) { writer in
                writer.traceIDField(1, trace)
                writer.spanIDField(2, span)
            }
        }
        return writer.bytes
    }

    private mutating func logs(_ rows: Int) -> ColumnBatch {
        var batch = LogBatch()
        for _ in 0..<rows {
            batch.streamIndexes.append(UInt32(batch.streams.intern(random.pick(scopes))))
            batch.times.append(time(.logs))
            let trace = traceID(zeroOneIn: 2)
            batch.traceIDs.append(trace)
            batch.spanIDs.append(trace.isZero ? 0 : random.next())
            batch.severityNumbers.append(random.pick([0, 1, 5, 9, 13, 17, 21, 24]))
            batch.severityTexts.append(random.pick(["", "INFO", "error"]))
            batch.appendBody(random.oneIn(3) ? value(depth: 0) : .string(text() + " " + text()))
            batch.observedTimes.append(random.oneIn(3) ? 0 : now)
            batch.timeOrigins.append(Int64(random.below(3)))
            batch.flags.append(Int64(random.below(2)))
            batch.droppedAttributesCounts.append(0)
            batch.eventNames.append(random.oneIn(5) ? "user.login" : "")
            batch.attributes.appendRow(attributes())
        }
        return batch.columnBatch
    }

    private mutating func samples(_ rows: Int) -> ColumnBatch {
        var batch = SampleBatch()
        for _ in 0..<rows {
            batch.streamIndexes.append(UInt32(batch.streams.intern(random.pick(series))))
            batch.times.append(time(.samples))
            batch.values.append(double())
        }
        return batch.columnBatch
    }

    private mutating func histograms(_ rows: Int) -> ColumnBatch {
        var batch = HistogramBatch()
        for _ in 0..<rows {
            var histogram = NativeHistogram(schema: Int8(random.below(5)), isFloat: random.oneIn(3), zeroThreshold: 1e-128)
            let spans = random.below(3)
            for _ in 0..<spans {
                let length = random.below(4)
                histogram.positiveSpans.append(.init(offset: Int32(random.below(9)) - 4, length: UInt32(length)))
                for _ in 0..<length { histogram.positiveBuckets.append(Double(random.below(50))) }
            }
            histogram.zeroCount = Double(random.below(5))
            histogram.count = histogram.positiveBuckets.reduce(histogram.zeroCount, +)
            histogram.sum = double()
            batch.append(histogram, stream: batch.streams.intern(random.pick(series)), time: time(.histograms))
        }
        return batch.columnBatch
    }

    private mutating func exemplars(_ rows: Int) -> ColumnBatch {
        var batch = ExemplarBatch()
        for _ in 0..<rows {
            batch.streamIndexes.append(UInt32(batch.streams.intern(random.pick(series))))
            batch.times.append(time(.exemplars))
            batch.values.append(double())
            batch.traceIDs.append(traceID(zeroOneIn: 4))
            batch.spanIDs.append(random.next())
            batch.attributes.appendRow(random.oneIn(2) ? [] : [Attribute("user.id", value(depth: 0))])
        }
        return batch.columnBatch
    }
}
