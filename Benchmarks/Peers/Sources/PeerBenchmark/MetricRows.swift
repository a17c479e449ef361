import BenchmarkTools
import CoreMetrics
import OTel
import Oriel
import Prometheus

/// Instruments of swift-metrics.
struct MetricRows {
    private let options: Options
    private let nothing: any MetricsFactory = NOOPMetricsHandler.instance
    private let oriel: any MetricsFactory
    private let prometheus: any MetricsFactory
    private let otel: any MetricsFactory
    /// Values that fall into many buckets, in nanoseconds: 1 ms to 3 s.
    private let durations = (0..<1024).map { Int64(1_000_000 * (1 + ($0 * 7919) % 3000)) }

    private static let milliseconds = [5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000]
    private static let seriesCount = 10_000

    init(options: Options) throws {
        self.options = options
        let bounds = Self.milliseconds.map { Double($0) / 1000 }
        oriel = Oriel.RegistryMetricsFactory(registry: Oriel.MetricRegistry(), timerBuckets: .explicit(bounds))
        var prometheus = PrometheusMetricsFactory(registry: PrometheusCollectorRegistry())
        prometheus.defaultDurationHistogramBuckets = Self.milliseconds.map { .milliseconds($0) }
        self.prometheus = prometheus
        var configuration = OTel.Configuration.default
        configuration.diagnosticLogLevel = .warning
        configuration.metrics.exporter = .none
        configuration.metrics.defaultDurationHistogramBuckets = Self.milliseconds.map { .milliseconds($0) }
        otel = try OTel.makeMetricsBackend(configuration: configuration).factory
    }

    func measure(_ report: inout Report) {
        let calls = Measurement(rounds: 100 * options.repetitions, calls: 200_000)
        let counters = instruments { CoreMetrics.Counter(label: "shared", factory: $0) }
        report.compare("counter increment", calls, nothing: counters.nothing, counters.libraries) { counter, calls in
            for _ in 0..<calls { counter.increment() }
        }
        let meetings = Measurement(rounds: 60 * options.repetitions, calls: 1_000_000)
        report.compare("counter increment, 2 threads on one counter", meetings, threads: 2, nothing: counters.nothing, counters.libraries) { counter, calls in
            for _ in 0..<calls { counter.increment() }
        }
        let durations = durations
        let timers = instruments { CoreMetrics.Timer(label: "request_duration", factory: $0) }
        report.compare("timer record, \(Self.milliseconds.count) explicit buckets", calls, nothing: timers.nothing, timers.libraries) { timer, calls in
            for call in 0..<calls { timer.recordNanoseconds(durations[call & 1023]) }
        }
        let gauges = instruments { CoreMetrics.Gauge(label: "queue_length", factory: $0) }
        report.compare("gauge record", calls, nothing: gauges.nothing, gauges.libraries) { gauge, calls in
            for call in 0..<calls { gauge.record(durations[call & 1023]) }
        }
        let status = String(200)
        let lookups = Measurement(rounds: 40 * options.repetitions, calls: 20_000)
        report.compare("counter by label and 2 dimensions, and increment", lookups, nothing: nothing, factories) { factory, calls in
            for _ in 0..<calls { CoreMetrics.Counter(label: "http_requests", dimensions: [("method", "GET"), ("code", status)], factory: factory).increment() }
        }
        scrape(&report)
    }

    private var factories: KeyValuePairs<Library, any MetricsFactory> { [.oriel: oriel, .prometheus: prometheus, .otel: otel] }

    private func instruments<Instrument>(
        _ make: (any MetricsFactory) -> Instrument
    ) -> (nothing: Instrument, libraries: KeyValuePairs<Library, Instrument>) {
        (make(nothing), [.oriel: make(oriel), .prometheus: make(prometheus), .otel: make(otel)])
    }

    // MARK: Scrapes

    /// The text of many counters; swift-otel has none.
    private func scrape(_ report: inout Report) {
        let name = "scrape of \(Self.seriesCount) counters"
        guard options.wants(name) else { return }
        let orielRegistry = Oriel.MetricRegistry(configuration: .init(seriesLimit: 2 * Self.seriesCount))
        let prometheusRegistry = PrometheusCollectorRegistry()
        let factories: [any MetricsFactory] = [
            Oriel.RegistryMetricsFactory(registry: orielRegistry), PrometheusMetricsFactory(registry: prometheusRegistry), otel,
        ]
        let registration = factories.map { factory in
            let start = SystemClock.thread.nanoseconds
            for user in 0..<Self.seriesCount {
                CoreMetrics.Counter(label: "requests", dimensions: [("user", "\(user)"), ("code", "200")], factory: factory).increment()
            }
            return Double(SystemClock.thread.nanoseconds - start) / Double(Self.seriesCount)
        }
        var bytes = [0, 0]
        let costs = Measurement(rounds: 10 * options.repetitions, calls: 1).costs([
            { for _ in 0..<$0 { bytes[0] = Oriel.exposition(of: orielRegistry, accept: nil).body.count } },
            {
                for _ in 0..<$0 {
                    var text: [UInt8] = []
                    prometheusRegistry.emit(into: &text)
                    bytes[1] = text.count
                }
            },
        ])
        report.add("\(name), microseconds", [.oriel: costs[0] / 1000, .prometheus: costs[1] / 1000])
        report.add("\(name), bytes", [.oriel: Double(bytes[0]), .prometheus: Double(bytes[1])])
        report.add("\(name): to make each of them, once", [.oriel: registration[0], .prometheus: registration[1], .otel: registration[2]])
    }
}
