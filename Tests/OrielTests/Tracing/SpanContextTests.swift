import OrielTelemetry
import Synchronization
import Testing
import Tracing

@testable import Oriel

private enum OtherKey: ServiceContextKey {
    typealias Value = Int
}

/// Contexts are used again for later spans: whoever still holds one must not see those.
struct SpanContextTests {
    private let capture: SpanCapture

    init() throws {
        capture = try SpanCapture()
    }

    /// Holds, lets go of, copies and extends contexts of spans, and starts spans in all of them, in any order.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64]) func aContextKeepsItsSpanWhateverComesAfter(seed: UInt64) {
        var generator = TracingGenerator(seed: seed)
        let tracers = [capture.tracer(), capture.tracer(sampler: Oriel.AlwaysOffSampler())]
        var held: [(context: ServiceContext, span: Oriel.SpanContext, parent: TraceID?)] = []
        for _ in 0..<2000 {
            let parent = held.randomElement(using: &generator)
            let span = tracers.randomElement(using: &generator)?.startSpan("span", context: parent?.context ?? .topLevel)
            guard let span else { continue }
            if let parent { #expect(span.spanContext.traceID == parent.span.traceID, "seed \(seed)") }
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                var context = span.context
                if Bool.random(using: &generator) { context[OtherKey.self] = 1 }
                held.append((context, span.spanContext, parent?.span.traceID))
            }
            if Bool.random(using: &generator) { span.end() }
            while held.count > Int.random(in: 0...24, using: &generator) { held.remove(at: Int.random(in: held.indices, using: &generator)) }
            for entry in held { #expect(entry.context.spanContext == entry.span, "seed \(seed)") }
        }
    }

    private final class Faults: Sendable {
        private let number = Atomic<Int>(0)

        var count: Int { number.load(ordering: .relaxed) }

        func expect(_ isFine: Bool) {
            if !isFine { number.add(1, ordering: .relaxed) }
        }
    }

    @Test func contextsKeepTheirSpansOnOtherThreads() async {
        let tracer = capture.tracer(sampler: Oriel.AlwaysOffSampler())
        let faults = Faults()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<400 {
                tracer.withSpan("outer") { span in
                    let expected = span.spanContext
                    let context = ServiceContext.current
                    group.addTask {
                        faults.expect(context?.spanContext == expected && ServiceContext.current?.spanContext == expected)
                        await tracer.withSpan("inner") { inner in
                            await Task.yield()
                            faults.expect(ServiceContext.current?.spanContext == inner.spanContext)
                        }
                        if number % 3 == 0 { await Task.yield() }
                        faults.expect(ServiceContext.current?.spanContext == expected)
                    }
                }
            }
        }
        #expect(faults.count == 0)
    }

    /// Starts a span of its own when it is let go of.
    private final class LastWord: CustomStringConvertible, Sendable {
        private let tracer: Oriel.Tracer

        init(_ tracer: Oriel.Tracer) {
            self.tracer = tracer
        }

        var description: String { "last word" }

        deinit { tracer.withSpan("last word") { _ in } }
    }

    @Test func aSpanThatStartsAnotherOneInItsLastMomentDisturbsNobody() {
        let tracer = capture.tracer()
        for _ in 0..<20 {
            do {
                let span = tracer.startSpan("forgotten", context: .topLevel)
                span.attributes["value"] = SpanAttribute.stringConvertible(LastWord(tracer))
                _ = span.context
            }
            let next = tracer.startSpan("next", context: .topLevel)
            #expect(next.context.spanContext == next.spanContext)
        }
    }
}
