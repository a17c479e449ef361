import OrielClient

/// Counts what comes in, in the daemon's own metric registry.
final class IngestStatistics: Sendable {
    private struct SignalCounters: Sendable {
        let requests: Counter
        let bytes: Counter
        let rows: Counter
        let rejected: Counter
    }

    private let counters: [OTLPSignal: SignalCounters]
    private let failures: @Sendable (OTLPSignal, String) -> Counter

    init(registry: MetricRegistry) {
        var counters: [OTLPSignal: SignalCounters] = [:]
        for signal in OTLPSignal.allCases {
            let labels: MetricLabels = ["protocol": "otlp", "signal": signal.rawValue]
            counters[signal] = SignalCounters(
                requests: registry.counter("oriel_ingest_requests", labels: labels, help: "Requests with telemetry that were stored."),
                bytes: registry.counter("oriel_ingest_received", labels: labels, help: "Bytes of stored requests as sent.", unit: "By"),
                rows: registry.counter("oriel_ingest_rows", labels: labels, help: "Spans, log records and samples stored."),
                rejected: registry.counter(
                    "oriel_ingest_rejected_rows", labels: labels, help: "Rows refused in requests that were otherwise stored."))
        }
        self.counters = counters
        failures = { signal, reason in
            registry.counter(
                "oriel_ingest_failures", labels: ["protocol": "otlp", "signal": signal.rawValue, "reason": reason],
                help: "Requests with telemetry that were refused or failed as a whole.")
        }
    }

    func countRequest(signal: OTLPSignal, bytes: Int, rows: Int, rejected: Int) {
        guard let counters = counters[signal] else { return }
        counters.requests.increment()
        counters.bytes.increment(by: Double(bytes))
        if rows > 0 { counters.rows.increment(by: Double(rows)) }
        if rejected > 0 { counters.rejected.increment(by: Double(rejected)) }
    }

    func countFailure(_ failure: IngestFailure, signal: OTLPSignal) {
        failures(signal, failure.reason).increment()
    }
}

extension IngestFailure {
    /// A short word for metrics, of which there are few.
    var reason: String {
        switch self {
        case .tooLarge: "too_large"
        case .unsupportedEncoding: "encoding"
        case .unsupportedMediaType: "media_type"
        case .malformed: "malformed"
        case .overloaded: "overloaded"
        case .failed: "failed"
        }
    }
}
