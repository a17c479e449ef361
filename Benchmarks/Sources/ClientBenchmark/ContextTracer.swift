import Tracing

/// A tracer that does what none can leave out: it puts one value, the same each time, into the context that children are started with.
struct ContextTracer: Tracer {
    private let value = SpanValue()

    func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind, at instant: @autoclosure () -> Instant, function: String,
        file fileID: String, line: UInt
    ) -> NoOpTracer.NoOpSpan {
        var context = context()
        context[SpanValueKey.self] = value
        return NoOpTracer.NoOpSpan(context: context)
    }

    func forceFlush() {}

    func inject<Carrier, Inject: Injector>(_ context: ServiceContext, into carrier: inout Carrier, using injector: Inject) where Inject.Carrier == Carrier {}

    func extract<Carrier, Extract: Extractor>(_ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract)
    where Extract.Carrier == Carrier {}
}

/// Stands for a span's ids, by reference as most tracers keep them.
private final class SpanValue: Sendable {}

private enum SpanValueKey: ServiceContextKey {
    typealias Value = SpanValue
}
