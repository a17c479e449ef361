import OrielTelemetry
public import Tracing

extension Oriel {
    /// How contexts travel between processes: a format of headers. The raw values are the names that `OTEL_PROPAGATORS` lists.
    ///
    /// A tracer has several. All of them write; when more than one finds a span's context, the last one counts.
    public enum Propagator: String, Hashable, Sendable, CaseIterable {
        /// W3C Trace Context: `traceparent` and `tracestate`.
        case traceContext = "tracecontext"
        /// W3C Baggage: `baggage`.
        case baggage
        /// Zipkin's `b3`; the form of several headers is read too, when there is no `b3`.
        case b3
        /// Zipkin's `x-b3-traceid` and others; a header `b3` is read too, and comes first.
        case b3Multi = "b3multi"
        /// AWS X-Ray's `x-amzn-trace-id`.
        case xray
        /// Nothing. (A case `none` would be mistaken for the one of `Optional`.)
        case disabled = "none"

        /// What OpenTelemetry's programs use unless they are told otherwise.
        public static let standard: [Propagator] = [.traceContext, .baggage]

        /// - Parameter name: as in `OTEL_PROPAGATORS`; case and blanks around it do not matter. An unknown one is `nil`.
        public init?(name: some StringProtocol) {
            self.init(rawValue: String(decoding: Array(name.utf8)[...].trimmingBlanks(), as: UTF8.self).lowercased())
        }

        // MARK: Extracting

        /// Puts what a carrier holds into a context, which stays as it is where there is nothing, or nothing that is valid.
        public func extract<Carrier, Extract: Extractor>(_ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract)
        where Extract.Carrier == Carrier {
            switch self {
            case .traceContext:
                guard let parent = extractor.extract(key: TraceParent.header, from: carrier) else { return }
                set(TraceParent.read(parent, state: extractor.extract(key: TraceParent.stateHeader, from: carrier)), in: &context)
            case .baggage:
                guard let header = extractor.extract(key: BaggageHeader.header, from: carrier) else { return }
                let baggage = BaggageHeader.read(header)
                if !baggage.isEmpty { context.baggage = baggage }
            case .b3, .b3Multi:
                if let header = extractor.extract(key: B3Header.single, from: carrier), let found = B3Header.read(header) {
                    set(found, in: &context)
                } else if let traceID = extractor.extract(key: B3Header.traceID, from: carrier) {
                    set(
                        B3Header.read(
                            traceID: traceID, spanID: extractor.extract(key: B3Header.spanID, from: carrier),
                            sampled: extractor.extract(key: B3Header.sampled, from: carrier), flags: extractor.extract(key: B3Header.flags, from: carrier)),
                        in: &context)
                }
            case .xray:
                guard let header = extractor.extract(key: XRayHeader.header, from: carrier) else { return }
                set(XRayHeader.read(header), in: &context)
            case .disabled: break
            }
        }

        private func set(_ found: SpanContext?, in context: inout ServiceContext) {
            if let found { context.spanContextReference = SpanContextReference(found) }
        }

        // MARK: Injecting

        /// Puts what a context holds into a carrier.
        public func inject<Carrier, Inject: Injector>(_ context: ServiceContext, into carrier: inout Carrier, using injector: Inject)
        where Inject.Carrier == Carrier {
            if self == .baggage {
                guard let header = BaggageHeader.text(context.baggage) else { return }
                injector.inject(header, forKey: BaggageHeader.header, into: &carrier)
                return
            }
            guard let span = context.spanContextReference?.context, !span.traceID.isZero, !span.spanID.isZero else { return }
            switch self {
            case .traceContext:
                injector.inject(TraceParent.text(span), forKey: TraceParent.header, into: &carrier)
                // A context that was made by hand may hold anything.
                if !span.traceState.isEmpty, span.traceState.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
                    injector.inject(span.traceState, forKey: TraceParent.stateHeader, into: &carrier)
                }
            case .b3:
                injector.inject(B3Header.text(span), forKey: B3Header.single, into: &carrier)
            case .b3Multi:
                injector.inject(span.traceID.hexadecimal, forKey: B3Header.traceID, into: &carrier)
                injector.inject(span.spanID.hexadecimal, forKey: B3Header.spanID, into: &carrier)
                // Debug implies the decision, so B3 does not want both.
                if span.isDebug {
                    injector.inject("1", forKey: B3Header.flags, into: &carrier)
                } else if !span.isSamplingDeferred {
                    injector.inject(span.isSampled ? "1" : "0", forKey: B3Header.sampled, into: &carrier)
                }
            case .xray:
                injector.inject(XRayHeader.text(span), forKey: XRayHeader.header, into: &carrier)
            case .baggage, .disabled: break
            }
        }
    }
}
