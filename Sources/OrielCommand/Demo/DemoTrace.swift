import OrielOTLP
import OrielTelemetry

/// One request on its way through the shop: spans and log records of all services that it touches, on a clock of its own.
///
/// The clock starts at zero and is moved on by ``work(_:)``; ``shift(by:)`` puts the finished trace into the real time.
struct DemoTrace {
    /// OTLP's `SpanKind`.
    enum Kind: Int32 {
        case `internal` = 1
        case server = 2
        case client = 3
        case producer = 4
        case consumer = 5
    }

    /// OTLP's `SeverityNumber` of the four levels that the shop uses.
    enum Severity: Int32 {
        case debug = 5
        case info = 9
        case warning = 13
        case error = 17

        var text: String {
            switch self {
            case .debug: "DEBUG"
            case .info: "INFO"
            case .warning: "WARN"
            case .error: "ERROR"
            }
        }
    }

    let id: TraceID
    var random: SeededRandom
    /// Nanoseconds since the start of the trace.
    private(set) var clock: Int64 = 0
    private(set) var spans: [(service: DemoService, span: OTLPSpan)] = []
    private(set) var logs: [(service: DemoService, record: OTLPLogRecord)] = []
    /// Places in ``spans`` of the spans that have not ended.
    private var open: [Int] = []

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        id = TraceID(high: random.next(), low: random.next() | 1)
    }

    var hasError: Bool { spans.contains { $0.span.statusCode == 2 } }

    /// The service that works at present.
    private var service: DemoService { open.last.map { spans[$0].service } ?? .storefront }

    /// Does something within a span.
    ///
    /// - Parameter link: A span of another trace that caused this one.
    mutating func span<Answer>(
        _ service: DemoService, _ name: String, _ kind: Kind, _ attributes: [Attribute] = [], link: OTLPSpanLink? = nil,
        _ body: (inout DemoTrace) -> Answer
    ) -> Answer {
        let index = spans.count
        spans.append(
            (
                service,
                OTLPSpan(
                    traceID: id, spanID: SpanID(rawValue: random.next() | 1), parentSpanID: open.last.map { spans[$0].span.spanID } ?? .zero, name: name,
                    kind: kind.rawValue, startTime: Timestamp(nanoseconds: clock), attributes: attributes, links: link.map { [$0] } ?? [],
                    flags: 0x101)
            ))
        open.append(index)
        let answer = body(&self)
        spans[index].span.endTime = Timestamp(nanoseconds: clock)
        open.removeLast()
        return answer
    }

    /// Lets time pass, from half to one and a half of so many milliseconds.
    mutating func work(_ milliseconds: Double) {
        clock += Int64(milliseconds * (0.5 + random.fraction()) * 1e6)
    }

    /// Lets exactly so many milliseconds pass, as a timeout does.
    mutating func wait(_ milliseconds: Double) {
        clock += Int64(milliseconds * 1e6)
    }

    /// Adds an attribute to the present span.
    mutating func set(_ key: String, _ value: AttributeValue) {
        guard let index = open.last else { return }
        spans[index].span.attributes.append(Attribute(key, value))
    }

    /// Adds an event to the present span.
    mutating func event(_ name: String, _ attributes: [Attribute] = []) {
        guard let index = open.last else { return }
        spans[index].span.events.append(OTLPSpanEvent(time: Timestamp(nanoseconds: clock), name: name, attributes: attributes))
    }

    /// Marks the present span as failed, with the exception that did it.
    mutating func fail(_ type: String, _ message: String, at place: String) {
        guard let index = open.last else { return }
        spans[index].span.statusCode = 2
        spans[index].span.statusMessage = message
        event(
            "exception",
            [
                Attribute("exception.type", .string(type)), Attribute("exception.message", .string(message)),
                Attribute("exception.stacktrace", .string("\(type): \(message)\n    at \(place)\n    at handle (server.js:77:3)")),
            ])
    }

    /// Marks the present span as failed because something that it called was.
    mutating func fail(_ message: String) {
        guard let index = open.last else { return }
        spans[index].span.statusCode = 2
        spans[index].span.statusMessage = message
    }

    /// Writes a log record from within the present span.
    mutating func log(_ severity: Severity, _ message: String, _ attributes: [Attribute] = []) {
        guard let index = open.last else { return }
        let time = Timestamp(nanoseconds: clock)
        logs.append(
            (
                service,
                OTLPLogRecord(
                    time: time, observedTime: time, severityNumber: severity.rawValue, severityText: severity.text, body: .string(message),
                    attributes: attributes, flags: 1, traceID: id, spanID: spans[index].span.spanID)
            ))
    }

    /// A link to the present span, for the trace that it causes.
    var link: OTLPSpanLink? {
        open.last.map { OTLPSpanLink(traceID: id, spanID: spans[$0].span.spanID, attributes: [], flags: 0x101) }
    }

    /// Moves all times.
    mutating func shift(by nanoseconds: Int64) {
        for index in spans.indices {
            spans[index].span.startTime = spans[index].span.startTime.advanced(by: nanoseconds)
            spans[index].span.endTime = spans[index].span.endTime.advanced(by: nanoseconds)
            for event in spans[index].span.events.indices {
                spans[index].span.events[event].time = spans[index].span.events[event].time.advanced(by: nanoseconds)
            }
        }
        for index in logs.indices {
            logs[index].record.time = logs[index].record.time.advanced(by: nanoseconds)
            logs[index].record.observedTime = logs[index].record.observedTime.advanced(by: nanoseconds)
        }
    }
}
