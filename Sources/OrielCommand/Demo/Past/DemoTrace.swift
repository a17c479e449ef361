import Logging
import Oriel
import OrielOTLP
import OrielTelemetry
import Tracing

/// One request on its way through the shop in the past: spans and log records of all services that it touches, as the client library would send them, on a clock of its own.
///
/// The clock starts at zero and is moved on by ``work(_:)``; ``end(at:)`` puts the finished trace into the real time.
struct DemoTrace: DemoStage {
    /// OTLP's `SpanFlags` of the shop's spans: sampled, random trace id, known where the parent is.
    private static let flags: UInt32 = 0x103
    /// Set where the parent is in another process.
    private static let remoteFlag: UInt32 = 0x200
    /// What the client library's sampler says of spans that are all recorded.
    private static let traceState = "ot=th:0"

    let id: TraceID
    private var random: SeededRandom
    /// Nanoseconds since the start of the trace.
    private var clock: Int64 = 0
    private(set) var spans: [(service: DemoService, span: OTLPSpan)] = []
    private(set) var logs: [(service: DemoService, record: OTLPLogRecord)] = []
    private(set) var orders: [DemoOrderState] = []
    /// Places in ``spans`` of the spans that have not ended.
    private var open: [Int] = []

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        id = TraceID(high: random.next(), low: random.next() | 1)
    }

    mutating func span<Answer>(
        _ service: DemoService, _ name: String, _ kind: SpanKind, _ attributes: [Attribute], causes: [Headers], _ body: (inout DemoTrace) async -> Answer
    ) async -> Answer {
        let index = spans.count
        let parent = open.last.map { spans[$0] }
        let isRemote = parent.map { $0.service != service } ?? false
        spans.append(
            (
                service,
                OTLPSpan(
                    traceID: id, spanID: SpanID(rawValue: random.next() | 1), parentSpanID: parent?.span.spanID ?? .zero, traceState: Self.traceState,
                    name: name, kind: kind.number, startTime: Timestamp(nanoseconds: clock), attributes: attributes, links: causes.compactMap(Self.link),
                    flags: parent == nil ? 3 : isRemote ? Self.flags | Self.remoteFlag : Self.flags)
            ))
        open.append(index)
        let answer = await body(&self)
        spans[index].span.endTime = Timestamp(nanoseconds: clock)
        open.removeLast()
        return answer
    }

    mutating func invocation(_ requestID: String, messages: [Headers], isCold: Bool, _ body: (inout DemoTrace) async -> Void) async {
        let attributes = [
            Attribute("faas.invocation_id", .string(requestID)), Attribute("faas.coldstart", .bool(isCold)),
            Attribute("cloud.resource_id", .string(DemoFunction.resourceName)),
        ]
        await span(.receipts, DemoService.receipts.name, .consumer, attributes, causes: messages, body)
    }

    mutating func work(_ milliseconds: Double) { wait(milliseconds * (0.5 + random.fraction())) }

    mutating func wait(_ milliseconds: Double) { clock += Int64(milliseconds * 1e6) }

    mutating func set(_ key: String, _ value: AttributeValue) {
        guard let index = open.last else { return }
        spans[index].span.attributes.append(Attribute(key, value))
    }

    mutating func fail(_ message: String) {
        guard let index = open.last else { return }
        spans[index].span.statusCode = 2
        spans[index].span.statusMessage = message
    }

    mutating func fail(_ failure: DemoFailure) {
        guard let index = open.last else { return }
        spans[index].span.events.append(OTLPSpanEvent(time: Timestamp(nanoseconds: clock), name: "exception", attributes: failure.attributes))
        fail(failure.description)
    }

    mutating func log(_ level: Logger.Level, _ message: String, _ attributes: [Attribute]) {
        guard let index = open.last else { return }
        let time = Timestamp(nanoseconds: clock)
        logs.append(
            (
                spans[index].service,
                OTLPLogRecord(
                    time: time, observedTime: time, severityNumber: level.severityNumber, severityText: level.rawValue.uppercased(), body: .string(message),
                    attributes: attributes, flags: Self.flags & 0xFF, traceID: id, spanID: spans[index].span.spanID)
            ))
    }

    mutating func countOrder(_ state: DemoOrderState) { orders.append(state) }

    var headers: Headers {
        guard let index = open.last else { return [:] }
        return ["traceparent": "00-\(id.hexadecimal)-\(spans[index].span.spanID.hexadecimal)-03", "tracestate": Self.traceState]
    }

    private static func link(to headers: Headers) -> OTLPSpanLink? {
        guard let context = HeaderFields.context(of: headers).spanContext else { return nil }
        return OTLPSpanLink(traceID: context.traceID, spanID: context.spanID, traceState: context.traceState, attributes: [], flags: flags | remoteFlag)
    }

    /// Moves all times, so that the trace ends at a moment.
    mutating func end(at moment: Int64) {
        let distance = moment - clock
        for index in spans.indices {
            spans[index].span.startTime = spans[index].span.startTime.advanced(by: distance)
            spans[index].span.endTime = spans[index].span.endTime.advanced(by: distance)
            for event in spans[index].span.events.indices {
                spans[index].span.events[event].time = spans[index].span.events[event].time.advanced(by: distance)
            }
        }
        for index in logs.indices {
            logs[index].record.time = logs[index].record.time.advanced(by: distance)
            logs[index].record.observedTime = logs[index].record.observedTime.advanced(by: distance)
        }
    }
}

extension SpanKind {
    /// OTLP's `SpanKind`.
    var number: Int32 {
        switch self {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }
}
