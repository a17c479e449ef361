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

        /// The sampler that was chosen.
        public var sampler: any Sampler {
            switch self {
            case .alwaysOn: AlwaysOnSampler()
            case .alwaysOff: AlwaysOffSampler()
            case .traceIDRatio(let ratio): RatioSampler(ratio: ratio)
            case .parentBasedAlwaysOn: ParentBasedSampler(root: AlwaysOnSampler())
            case .parentBasedAlwaysOff: ParentBasedSampler(root: AlwaysOffSampler())
            case .parentBasedTraceIDRatio(let ratio): ParentBasedSampler(root: RatioSampler(ratio: ratio))
            }
        }

        static let names = ["always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"]
    }

    /// What sums that are pushed count from, with the names of `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE`.
    public enum TemporalityPreference: String, Hashable, Sendable, CaseIterable {
        case cumulative
        case delta
        /// As ``delta`` where it is counted as it happens; ``cumulative`` of counters that are read at each push.
        case lowMemory = "lowmemory"
    }

    /// How a histogram counts by default, with the names of `OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION`.
    public enum HistogramAggregation: String, Hashable, Sendable, CaseIterable {
        case explicit = "explicit_bucket_histogram"
        case exponential = "base2_exponential_bucket_histogram"
    }

    /// Which measurements may become exemplars, with the names of `OTEL_METRICS_EXEMPLAR_FILTER`.
    public enum ExemplarFilter: String, Hashable, Sendable, CaseIterable {
        /// All, also those made outside any span, whose exemplars lead to no trace, and inside one that is not recorded.
        case alwaysOn = "always_on"
        case alwaysOff = "always_off"
        /// Those made inside a sampled span.
        case traceBased = "trace_based"
    }

    /// Where the listener for scrapes is.
    public struct PrometheusConfiguration: Hashable, Sendable {
        /// A name or an address.
        public var host = "localhost"
        /// 0 lets the system choose.
        public var port = 9464

        /// The defaults.
        public init() {}
    }
}
