import Oriel
import OrielClient
import OrielOTLP
import OrielTelemetry
import Synchronization
import Testing
import Tracing

/// A pipeline whose exporter keeps the requests, to be read as spans.
final class SpanCapture: Sendable {
    private final class Exporter: TelemetryExporter {
        let requests = Mutex<[[UInt8]]>([])

        func export(_ batch: ExportBatch, deadline: OrielTelemetry.Timestamp) -> ExportOutcome {
            requests.withLock { $0.append(batch.request) }
            return .delivered()
        }
    }

    private let exporter = Exporter()
    let pipeline: DeliveryPipeline

    init() throws {
        pipeline = try DeliveryPipeline(name: "spans", exporter: exporter, resource: Resource(attributes: [Attribute("service.name", "shop")]))
    }

    func tracer(
        sampler: any Oriel.Sampler = Oriel.AlwaysOnSampler(), propagators: [Oriel.Propagator] = Oriel.Propagator.standard,
        limits: Oriel.SpanLimits = Oriel.SpanLimits(), recordsSourceLocation: Bool = false
    ) -> Oriel.Tracer {
        Oriel.Tracer(
            queues: [pipeline.spans], sampler: sampler, propagators: propagators, limits: limits, recordsSourceLocation: recordsSourceLocation)
    }

    /// All spans that ended so far, in the order of their ends where one thread made them.
    func spans() async throws -> [OTLPSpan] {
        let isDelivered = await pipeline.flush(deadline: .now.advanced(by: 20_000_000_000))
        #expect(isDelivered)
        var decoder = OTLPDecoder()
        var spans: [OTLPSpan] = []
        for request in exporter.requests.withLock({ $0 }) {
            let decoded = try decoder.traces(request.span)
            #expect(decoded.rejections.count == 0 && decoded.rejections.warningCount == 0, "\(decoded.rejections)")
            for row in 0..<decoded.batch.traceIDs.count { spans.append(decoded.batch.span(at: row)) }
        }
        return spans
    }

    /// The only span that ended so far.
    func span() async throws -> OTLPSpan {
        let spans = try await spans()
        return try #require(spans.count == 1 ? spans.first : nil, "\(spans.count) spans")
    }

    /// The instrumentation scopes of all requests.
    func scopes() async throws -> Set<InstrumentationScope> {
        _ = try await spans()
        var decoder = OTLPDecoder()
        var scopes: Set<InstrumentationScope> = []
        for request in exporter.requests.withLock({ $0 }) {
            let decoded = try decoder.traces(request.span)
            for index in 0..<decoded.batch.streams.count {
                if case .scope(_, let scope) = try decoded.batch.streams.decoded(index) { scopes.insert(scope) }
            }
        }
        return scopes
    }
}

extension OTLPSpan {
    subscript(key: String) -> AttributeValue? { attributes.first { $0.key == key }?.value }
    var duration: Int64 { endTime.nanoseconds - startTime.nanoseconds }
}

/// Headers as they travel.
struct HeaderCarrier: Injector, Extractor {
    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
}

extension Oriel.Tracer {
    func context(_ headers: [String: String], in context: ServiceContext = .topLevel) -> ServiceContext {
        var context = context
        extract(headers, into: &context, using: HeaderCarrier())
        return context
    }

    func headers(_ context: ServiceContext) -> [String: String] {
        var headers: [String: String] = [:]
        inject(context, into: &headers, using: HeaderCarrier())
        return headers
    }
}

/// SplitMix64: the same numbers for the same seed, on every machine.
struct TracingGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
