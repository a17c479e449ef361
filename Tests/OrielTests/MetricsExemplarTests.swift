import CoreMetrics
import OrielClient
import OrielTelemetry
import Testing
import Tracing

@testable import Oriel

/// What is observed inside a sampled span is linked to its trace.
@Suite struct MetricsExemplarTests {
    private let registry = Oriel.MetricRegistry(configuration: .init(reportsItself: false))

    private func inSpan<Result>(_ number: UInt64, isSampled: Bool = true, _ body: () throws -> Result) rethrows -> Result {
        var context = ServiceContext.topLevel
        context.spanContextReference = SpanContextReference(
            .init(traceID: TraceID(high: 7, low: number), spanID: SpanID(rawValue: number), flags: isSampled ? 1 : 0))
        return try ServiceContext.withValue(context) { try body() }
    }

    private func point(_ name: String) -> MetricSnapshot.Point? {
        registry.snapshot().families.first { $0.name == name }?.series.first?.point
    }

    private func exemplar(_ name: String) -> Exemplar? {
        if case .counter(_, let exemplar)? = point(name) { exemplar } else { nil }
    }

    @Test func countersAndHistogramsKeepThem() throws {
        let factory = Oriel.RegistryMetricsFactory(registry: registry)
        inSpan(1) {
            CoreMetrics.Counter(label: "c", factory: factory).increment(by: 5)
            FloatingPointCounter(label: "f", factory: factory).increment(by: 0.5)
            CoreMetrics.Timer(label: "t", factory: factory).recordMilliseconds(30)
            Recorder(label: "r", factory: factory).record(6)
        }
        #expect(exemplar("c")?.spanID == SpanID(rawValue: 1))
        #expect(exemplar("c")?.traceID == TraceID(high: 7, low: 1))
        #expect(exemplar("c")?.value == 5)
        #expect(exemplar("f")?.value == 0.5)
        guard case .histogram(let timer)? = point("t_seconds"), case .exponentialHistogram(let recorder)? = point("r") else {
            Issue.record("\(registry.snapshot())")
            return
        }
        #expect(timer.exemplars.compactMap { $0?.value } == [0.03])
        #expect(recorder.exemplars.map(\.value) == [6])
    }

    @Test func onlyOfSampledSpans() {
        let factory = Oriel.RegistryMetricsFactory(registry: registry)
        let counter = CoreMetrics.Counter(label: "c", factory: factory)
        counter.increment()
        inSpan(1, isSampled: false) { counter.increment() }
        ServiceContext.withValue(.topLevel) { counter.increment() }
        #expect(exemplar("c") == nil)
        inSpan(2) { counter.increment() }
        #expect(exemplar("c")?.spanID == SpanID(rawValue: 2))
    }

    @Test func aFactoryMayLeaveThemOut() {
        let factory = Oriel.RegistryMetricsFactory(registry: registry, exemplars: .alwaysOff)
        inSpan(1) { CoreMetrics.Counter(label: "c", factory: factory).increment() }
        #expect(exemplar("c") == nil)
    }

    @Test func aFactoryMayKeepThemOutsideTracesToo() throws {
        let factory = Oriel.RegistryMetricsFactory(registry: registry, exemplars: .alwaysOn)
        CoreMetrics.Counter(label: "c", factory: factory).increment(by: 3)
        inSpan(5, isSampled: false) { CoreMetrics.Counter(label: "unsampled", factory: factory).increment() }
        inSpan(6) { CoreMetrics.Timer(label: "t", factory: factory).recordSeconds(1) }
        #expect(exemplar("c")?.value == 3 && exemplar("c")?.traceID == .zero && exemplar("c")?.spanID == .zero)
        #expect(exemplar("unsampled")?.spanID == SpanID(rawValue: 5))
        guard case .histogram(let timer)? = point("t_seconds") else {
            Issue.record("no histogram")
            return
        }
        #expect(timer.exemplars.compactMap { $0?.spanID } == [SpanID(rawValue: 6)])
        let body = String(decoding: Oriel.exposition(of: registry, accept: "application/openmetrics-text").body, as: UTF8.self)
        #expect(body.contains("c_total 3 # {} 3 "), "\(body)")
    }

    /// Not each observation pays for a look at its span, but no bucket is without one that was, and none shows an old one for long.
    @Test func aBusyBucketStaysFreshAndARareOneIsNotMissed() throws {
        let factory = Oriel.RegistryMetricsFactory(registry: registry, buckets: ["t": .explicit([1])])
        let timer = CoreMetrics.Timer(label: "t", factory: factory)
        let counter = CoreMetrics.Counter(label: "c", factory: factory)
        // Nobody is in a span for long, which uses up the first looks.
        for _ in 0..<100_000 {
            timer.recordMilliseconds(1)
            counter.increment(by: 64)
        }
        inSpan(1) { timer.recordSeconds(5) }
        for number in 2...10_000 as ClosedRange<UInt64> {
            inSpan(number) {
                timer.recordMilliseconds(1)
                counter.increment(by: 64)
            }
        }
        guard case .histogram(let histogram)? = point("t_seconds") else {
            Issue.record("no histogram")
            return
        }
        #expect(histogram.exemplars.last??.spanID == SpanID(rawValue: 1))
        #expect(try #require(histogram.exemplars.first??.spanID.rawValue) > 9000)
        // After a snapshot the first ones are looked at again.
        inSpan(20_000) { timer.recordMilliseconds(1) }
        guard case .histogram(let next)? = point("t_seconds") else { return }
        #expect(next.exemplars.first??.spanID == SpanID(rawValue: 20_000))
        #expect(try #require(exemplar("c")).spanID.rawValue > 9000)
    }

    @Test func theyArriveInOpenMetrics() {
        let factory = Oriel.RegistryMetricsFactory(registry: registry)
        inSpan(1) { CoreMetrics.Counter(label: "c", factory: factory).increment() }
        let body = Oriel.exposition(of: registry, accept: "application/openmetrics-text").body
        #expect(
            String(decoding: body, as: UTF8.self)
                .contains("c_total 1 # {trace_id=\"00000000000000070000000000000001\",span_id=\"0000000000000001\"} 1 "))
    }
}
