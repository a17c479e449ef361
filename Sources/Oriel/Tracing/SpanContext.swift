public import OrielTelemetry
public import Tracing

extension Oriel {
    /// What tells a span apart from all others, in this process and beyond: what a `traceparent` header carries.
    public struct SpanContext: Hashable, Sendable {
        /// The same for all spans of a trace.
        public var traceID: TraceID
        /// This span's own.
        public var spanID: SpanID
        /// W3C trace flags: bit 0 sampled, bit 1 random trace id.
        public var flags: UInt8
        /// W3C `tracestate`, empty for none.
        public var traceState: String
        /// Whether it came from another process.
        public var isRemote: Bool
        /// Whether another process left it to us to decide, which B3 and X-Ray can: then ``flags`` say nothing about it.
        var isSamplingDeferred = false
        /// Whether B3 asks everybody on the way to record the trace, whatever else is said: its debug flag, which children pass on.
        var isDebug = false

        /// A context as it comes from another process, or is made up in tests.
        public init(traceID: TraceID, spanID: SpanID, flags: UInt8 = 0, traceState: String = "", isRemote: Bool = false) {
            self.traceID = traceID
            self.spanID = spanID
            self.flags = flags
            self.traceState = traceState
            self.isRemote = isRemote
        }

        static let sampledFlag: UInt8 = 1
        static let randomFlag: UInt8 = 2

        /// Whether the span is recorded: bit 0 of ``flags``.
        public var isSampled: Bool { flags & Self.sampledFlag != 0 }
    }
}

/// A span as the task's context keeps it: by reference, since a value of this size would be boxed anew by each child.
enum SpanContextReference: Sendable {
    /// A span that this process does not record.
    case unrecorded(UnrecordedSpan)
    case recorded(SpanRecording)

    /// Of a span that this process does not record.
    init(_ context: Oriel.SpanContext) {
        self = .unrecorded(UnrecordedSpan(context))
    }

    var context: Oriel.SpanContext {
        switch self {
        case .unrecorded(let span): span.context
        case .recorded(let recording): recording.context
        }
    }

    /// Stands for no span.
    static let invalid = SpanContextReference(Oriel.SpanContext(traceID: .zero, spanID: .zero))

    /// Whether there is a span.
    var isValid: Bool { !context.traceID.isZero }

    /// `nil` when the span was not chosen to be recorded.
    var recording: SpanRecording? {
        guard case .recorded(let recording) = self else { return nil }
        return recording
    }
}

/// What is kept of a span that this process does not record.
final class UnrecordedSpan: Sendable {
    let context: Oriel.SpanContext

    init(_ context: Oriel.SpanContext) {
        self.context = context
    }
}

private enum SpanContextKey: ServiceContextKey {
    typealias Value = SpanPlace
    static var nameOverride: String? { "oriel-span" }
}

extension ServiceContext {
    /// The span that this context belongs to; `nil` outside any.
    public var spanContext: Oriel.SpanContext? { spanContextReference?.context }

    var spanContextReference: SpanContextReference? {
        get { spanPlace?.reference }
        set { spanPlace = newValue.map { SpanPlace($0) } }
    }

    /// Where the context keeps its span.
    var spanPlace: SpanPlace? {
        get {
            // Mostly there is nothing else in a context: a look at all of it is quicker than the hash of a key and a cast.
            let count = count
            if count == 0 { return nil }
            guard count <= 2 else { return self[SpanContextKey.self] }
            var found: SpanPlace?
            forEach { _, value in
                if let place = SpanPlace.opened(value) { found = place }
            }
            return found
        }
        set { self[SpanContextKey.self] = newValue }
    }
}
