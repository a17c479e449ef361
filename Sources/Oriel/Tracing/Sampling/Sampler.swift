public import OrielTelemetry
public import Tracing

extension Oriel {
    /// Decides which spans are recorded.
    ///
    /// It is asked once for each span, when it starts, on the thread that starts it: it should be quick and must not block. What a span turns out to be is not known then;
    /// decisions on that are the collector's.
    public protocol Sampler: Sendable {
        /// Whether a span is recorded.
        func decision(for candidate: SamplingCandidate) -> SamplingDecision
    }

    /// A span that is about to start.
    public struct SamplingCandidate: Sendable {
        let parentReference: SpanContextReference?
        /// Of the parent's trace, or drawn for a new one.
        public let traceID: TraceID
        /// The name that it starts with.
        public let operationName: String
        /// Whether it serves, asks, sends or takes.
        public let kind: SpanKind

        init(parentReference: SpanContextReference?, traceID: TraceID, operationName: String, kind: SpanKind) {
            self.parentReference = parentReference
            self.traceID = traceID
            self.operationName = operationName
            self.kind = kind
        }

        /// A candidate for tests of a sampler.
        public init(parent: SpanContext?, traceID: TraceID, operationName: String, kind: SpanKind) {
            self.init(parentReference: parent.map { SpanContextReference($0) }, traceID: traceID, operationName: operationName, kind: kind)
        }

        /// The span that this one is to be a child of; `nil` for the first span of a trace.
        public var parent: SpanContext? { parentReference?.context }

        /// 56 bits that are the same for all spans of a trace: what the trace's first service chose (`rv` in `tracestate`), else the end of the trace id.
        public var randomness: UInt64 {
            if let parentReference, let chosen = TraceState.randomness(in: parentReference.context.traceState) { return chosen }
            return traceID.low & (SamplingThreshold.range - 1)
        }
    }

    /// What a sampler decided.
    public struct SamplingDecision: Hashable, Sendable {
        /// What `tracestate` tells about the decision.
        public enum Threshold: Hashable, Sendable {
            /// What it tells of the parent.
            case inherited
            /// Nothing: the span does not stand for a known number of others.
            case unknown
            case known(SamplingThreshold)
        }

        /// Whether the span is recorded and exported.
        public var isSampled: Bool
        /// What `tracestate` tells.
        public var threshold: Threshold

        /// - Parameter threshold: `.unknown` for whoever does not choose by the candidate's randomness.
        public init(isSampled: Bool, threshold: Threshold) {
            self.isSampled = isSampled
            self.threshold = threshold
        }

        /// Not recorded.
        public static let drop = SamplingDecision(isSampled: false, threshold: .unknown)
    }
}
