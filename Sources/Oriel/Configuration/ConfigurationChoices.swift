import OrielExporterConsole

extension Oriel {
    /// Where a kind of telemetry goes.
    public enum ExporterChoice: String, Hashable, Sendable, CaseIterable {
        /// To an OTLP receiver.
        case otlp
        /// To standard error, a line each.
        case console
        /// To whoever scrapes the listener; metrics only.
        case prometheus
    }

    /// How lines on the console look, with the values of `ORIEL_CONSOLE_FORM`.
    public enum ConsoleForm: String, Hashable, Sendable, CaseIterable {
        /// ``pretty`` on a terminal, else ``json``.
        case auto
        /// An object of JSON a line.
        case json
        /// Coloured lines for people.
        case pretty

        var exporterForm: ConsoleExporter.Form {
            switch self {
            case .auto: .auto
            case .json: .json
            case .pretty: .pretty
            }
        }
    }

    /// Which spans are recorded, with the names of `OTEL_TRACES_SAMPLER`.
    public enum SamplerChoice: Hashable, Sendable, CustomStringConvertible {
        case alwaysOn
        case alwaysOff
        /// A share of the traces, 0 to 1, chosen by trace id.
        case traceIDRatio(Double)
        /// As the parent was; all that have none.
        case parentBasedAlwaysOn
        /// As the parent was; none that have none.
        case parentBasedAlwaysOff
        /// As the parent was; of those that have none a share, 0 to 1.
        case parentBasedTraceIDRatio(Double)

        /// The value of `OTEL_TRACES_SAMPLER`.
        public var name: String {
            switch self {
            case .alwaysOn: "always_on"
            case .alwaysOff: "always_off"
            case .traceIDRatio: "traceidratio"
            case .parentBasedAlwaysOn: "parentbased_always_on"
            case .parentBasedAlwaysOff: "parentbased_always_off"
            case .parentBasedTraceIDRatio: "parentbased_traceidratio"
            }
        }

        public var description: String {
            switch self {
            case .traceIDRatio(let ratio), .parentBasedTraceIDRatio(let ratio): "\(name) \(ratio)"
            default: name
            }
        }

        /// - Parameter ratio: for those that take one; `nil` is 1.
        public init?(name: String, ratio: Double? = nil) {
            switch name {
            case "always_on": self = .alwaysOn
            case "always_off": self = .alwaysOff
            case "traceidratio": self = .traceIDRatio(ratio ?? 1)
            case "parentbased_always_on": self = .parentBasedAlwaysOn
            case "parentbased_always_off": self = .parentBasedAlwaysOff
            case "parentbased_traceidratio": self = .parentBasedTraceIDRatio(ratio ?? 1)
            default: return nil
            }
        }

        static let names = ["always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"]
    }

    /// A way in which contexts travel between processes, with the names of `OTEL_PROPAGATORS`.
    public enum PropagatorChoice: String, Hashable, Sendable, CaseIterable {
        /// W3C `traceparent` and `tracestate`.
        case traceContext = "tracecontext"
        /// W3C `baggage`.
        case baggage
        /// B3 in the single header `b3`.
        case b3
        /// B3 in several headers, `X-B3-…`.
        case b3Multi = "b3multi"
        /// AWS X-Ray's `X-Amzn-Trace-Id`.
        case xray
    }

    /// What sums that are pushed count from, with the names of `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE`.
    public enum TemporalityPreference: String, Hashable, Sendable, CaseIterable {
        case cumulative
        case delta
        /// Delta for counters and histograms that are recorded as they happen, cumulative for what is read when it is sent.
        case lowMemory = "lowmemory"
    }

    /// How a histogram counts by default, with the names of `OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION`.
    public enum HistogramAggregation: String, Hashable, Sendable, CaseIterable {
        case explicit = "explicit_bucket_histogram"
        case exponential = "base2_exponential_bucket_histogram"
    }

    /// Which measurements may become exemplars, with the names of `OTEL_METRICS_EXEMPLAR_FILTER`.
    public enum ExemplarFilter: String, Hashable, Sendable, CaseIterable {
        case alwaysOn = "always_on"
        case alwaysOff = "always_off"
        /// Those made inside a sampled span.
        case traceBased = "trace_based"
    }

    /// The bounds of a span. What is beyond them is cut, or dropped and counted in the span.
    public struct SpanLimits: Hashable, Sendable {
        /// Attributes of a span; `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT`.
        public var attributeCount = 128
        /// Characters of a string; `OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT`.
        public var valueLength = 64 << 10
        /// `OTEL_SPAN_EVENT_COUNT_LIMIT`.
        public var eventCount = 128
        /// `OTEL_SPAN_LINK_COUNT_LIMIT`.
        public var linkCount = 128
        /// Attributes of an event; `OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT`.
        public var eventAttributeCount = 128
        /// Attributes of a link; `OTEL_LINK_ATTRIBUTE_COUNT_LIMIT`.
        public var linkAttributeCount = 128

        public init() {}
    }

    /// Where the listener for scrapes is.
    public struct PrometheusConfiguration: Hashable, Sendable {
        /// A name or an address.
        public var host = "localhost"
        /// 0 lets the system choose.
        public var port = 9464

        public init() {}
    }
}
