public import OrielClient
public import OrielTelemetry
public import Tracing

extension Oriel {
    /// A swift-distributed-tracing backend that writes finished spans into queues of a ``DeliveryPipeline``.
    ///
    /// ```swift
    /// let tracer = Oriel.Tracer(queues: [pipeline.spans])
    /// try await tracer.withSpan("checkout", ofKind: .server) { span in
    ///     span.attributes["cart.items"] = 3
    ///     …
    /// }
    /// ```
    ///
    /// Call it as a value where you can: the global `withSpan` looks the tracer up each time, which costs more than the span. Parents are found in the task's context; nothing
    /// else is shared between spans. A span that the sampler does not choose costs one allocation and its context; one that it chooses is encoded when it ends.
    public final class Tracer: Tracing.Tracer {
        private let queues: [(queue: RecordQueue, scope: RecordScope)]
        private let sampler: any Sampler
        private let propagators: [Propagator]
        private let identifiers: IdentifierGenerator
        private let recordsSourceLocation: Bool
        private let flush: @Sendable () -> Void
        private let makesSpans: Bool
        let clock = SpanClock()
        let limits: SpanLimits

        /// - Parameters:
        ///   - queues: where finished spans go; each gets all of them.
        ///   - scope: what made the spans, as they tell.
        ///   - propagators: how contexts come from and go to other processes, see ``Propagator``.
        ///   - recordsSourceLocation: whether spans get the attributes `code.function.name`, `code.file.path` and `code.line.number` of who started them.
        ///   - flush: what `forceFlush()` does.
        public init(
            queues: [RecordQueue], scope: InstrumentationScope = InstrumentationScope(name: "oriel-swift"),
            sampler: any Sampler = ParentBasedSampler(root: AlwaysOnSampler()), propagators: [Propagator] = Propagator.standard,
            limits: SpanLimits = SpanLimits(),
            recordsSourceLocation: Bool = false, identifiers: IdentifierGenerator = IdentifierGenerator(), flush: @escaping @Sendable () -> Void = {}
        ) {
            self.queues = queues.map { ($0, $0.scope(scope)) }
            self.sampler = sampler
            self.propagators = propagators
            self.limits = limits
            self.recordsSourceLocation = recordsSourceLocation
            self.identifiers = identifiers
            self.flush = flush
            makesSpans = true
        }

        /// A tracer that makes no spans: the context of a caller goes on to who is called as it came, as if there were no tracing here.
        init(passingOn propagators: [Propagator], flush: @escaping @Sendable () -> Void) {
            queues = []
            sampler = AlwaysOffSampler()
            self.propagators = propagators
            limits = SpanLimits()
            recordsSourceLocation = false
            identifiers = IdentifierGenerator()
            self.flush = flush
            makesSpans = false
        }

        // MARK: Starting spans

        /// Starts a span that ``Span/end(at:)`` must end; `withSpan` does both.
        public func startSpan<Instant: TracerInstant>(
            _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind, at instant: @autoclosure () -> Instant,
            function: String, file fileID: String, line: UInt
        ) -> Span {
            let context = context()
            let parent = context.spanContextReference
            guard makesSpans else {
                // Without what its own tracer records of it: that is not ours to change.
                return Span(context: context, parent: parent, reference: parent.map { SpanContextReference($0.context) } ?? .invalid)
            }
            let child = child(of: parent, operationName, kind)
            guard child.isSampled else { return Span(context: context, parent: parent, reference: SpanContextReference(child)) }
            let start = clock.start(Int64(clamping: instant().nanosecondsSinceEpoch))
            let location = recordsSourceLocation ? SourceLocation(function: function, file: fileID, line: line) : nil
            let recording = SpanRecording(
                tracer: self, context: child, parent: parent?.context, operationName: operationName, kind: kind, start: start, location: location)
            return Span(context: context, parent: parent, reference: .recorded(recording))
        }

        /// The context of a new span. It is recorded if it is sampled.
        private func child(of parent: SpanContextReference?, _ operationName: String, _ kind: SpanKind) -> SpanContext {
            let traceID: TraceID
            let randomFlag: UInt8
            let traceState: String
            var isDebug = false
            if let parent {
                traceID = parent.context.traceID
                randomFlag = parent.context.flags & SpanContext.randomFlag
                traceState = parent.context.traceState
                isDebug = parent.context.isDebug
            } else {
                traceID = identifiers.traceID()
                randomFlag = SpanContext.randomFlag
                traceState = ""
            }
            // A parent that leaves the decision to us is none for the sampler.
            let isDecided = parent.map { !$0.context.isSamplingDeferred } ?? false
            let candidate = SamplingCandidate(parentReference: isDecided ? parent : nil, traceID: traceID, operationName: operationName, kind: kind)
            let decision = sampler.decision(for: candidate)
            let state =
                switch decision.threshold {
                case .inherited: traceState
                case .unknown: traceState.isEmpty ? traceState : TraceState.replacing(nil, in: traceState)
                case .known(let threshold): TraceState.replacing(threshold, in: traceState)
                }
            var child = SpanContext(
                traceID: traceID, spanID: identifiers.spanID(), flags: randomFlag | (decision.isSampled ? SpanContext.sampledFlag : 0), traceState: state)
            child.isDebug = isDebug
            return child
        }

        // MARK: Finished spans

        /// Encodes a span once and puts it into all queues.
        func add(_ recording: SpanRecording, _ state: SpanRecording.State) {
            guard let first = queues.first else { return }
            first.queue.add(first.scope) { writer in
                writer.span(recording, state, limits)
                if writer.bytes.count > SpanRecording.State.recordLimit { writeCut(recording, state, to: &writer) }
                for (queue, scope) in queues.dropFirst() { queue.add(scope, encoded: writer.bytes.span) }
            }
        }

        /// Writes a span anew that is too large. Apart from the others, since it hardly ever happens.
        @inline(never)
        private func writeCut(_ recording: SpanRecording, _ state: SpanRecording.State, to writer: inout WireWriter) {
            writer.bytes.removeAll()
            writer.span(recording, state.cut(limits), limits)
        }

        /// Calls the closure that the tracer was made with. The tracing API has deprecated it: flush what delivers the spans instead, with a deadline.
        public func forceFlush() { flush() }

        // MARK: Other processes

        public func extract<Carrier, Extract: Extractor>(_ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract)
        where Extract.Carrier == Carrier {
            for propagator in propagators { propagator.extract(carrier, into: &context, using: extractor) }
        }

        public func inject<Carrier, Inject: Injector>(_ context: ServiceContext, into carrier: inout Carrier, using injector: Inject)
        where Inject.Carrier == Carrier {
            for propagator in propagators { propagator.inject(context, into: &carrier, using: injector) }
        }
    }
}
