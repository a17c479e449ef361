import CoreMetrics
import Oriel
import OrielClient
import Testing

@Suite struct RegistryMetricsFactoryTests {
    private let registry = Oriel.MetricRegistry(configuration: .init(reportsItself: false))
    private var factory: Oriel.RegistryMetricsFactory { Oriel.RegistryMetricsFactory(registry: registry) }

    @Test func everyInstrumentOfTheAPIArrives() {
        let factory = factory
        CoreMetrics.Counter(label: "http.requests", dimensions: [("code", "200")], factory: factory).increment(by: 3)
        FloatingPointCounter(label: "cost", factory: factory).increment(by: 0.25)
        Meter(label: "pool.size", factory: factory).set(7)
        let meter = Meter(label: "pool.size", factory: factory)
        meter.increment(by: 2)
        meter.decrement(by: 0.5)
        CoreMetrics.Gauge(label: "queue", factory: factory).record(12)
        Recorder(label: "batch", factory: factory).record(6)
        CoreMetrics.Timer(label: "db.query", factory: factory).recordMilliseconds(30)

        let text = Oriel.prometheusText(registry)
        for line in [
            "http_requests_total{code=\"200\"} 3", "cost_total 0.25", "pool_size 8.5", "queue 12", "batch_bucket{le=\"8\"} 1",
            "batch_sum 6",
            "db_query_seconds_bucket{le=\"0.025\"} 0", "db_query_seconds_bucket{le=\"0.05\"} 1", "db_query_seconds_sum 0.03",
        ] {
            #expect(text.contains("\n" + line + "\n"), "\(line)\n\(text)")
        }
    }

    @Test func theSameDimensionsInAnyOrderAreOneSeries() {
        CoreMetrics.Counter(label: "c", dimensions: [("a", "1"), ("b", "2")], factory: factory).increment()
        CoreMetrics.Counter(label: "c", dimensions: [("b", "2"), ("a", "1")], factory: factory).increment()
        #expect(Oriel.prometheusText(registry).contains("c_total{a=\"1\",b=\"2\"} 2\n"))
    }

    @Test func mistakesOfThirdPartiesDoNotTrap() {
        CoreMetrics.Counter(label: "x", factory: factory).increment(by: -5)
        CoreMetrics.Counter(label: "x", factory: factory).increment(by: Int64.max)
        CoreMetrics.Timer(label: "x_total", factory: factory).recordNanoseconds(.min)
        Recorder(label: "x", factory: factory).record(1)
        Recorder(label: "", dimensions: [("", ""), ("", "\"")], factory: factory).record(Double.nan)
        let text = Oriel.prometheusText(registry)
        #expect(text.contains("x_total 9.223372036854776e+18\n"), "\(text)")
        #expect(text.contains("unnamed_count{key_=\"\\\"\"} 0\n"), "\(text)")
    }

    @Test func destroyedInstrumentsAreGone() {
        let counter = CoreMetrics.Counter(label: "c", factory: factory)
        counter.increment()
        counter.destroy()
        CoreMetrics.Timer(label: "t", factory: factory).destroy()
        #expect(Oriel.prometheusText(registry) == "")
    }

    @Test func resetBeginsAtZero() {
        let counter = CoreMetrics.Counter(label: "c", factory: factory)
        counter.increment(by: 5)
        counter.reset()
        counter.increment()
        #expect(Oriel.prometheusText(registry).contains("c_total 1\n"))
    }

    @Test func aScrapeIsAnsweredInTheFormatItAsksFor() {
        registry.counter("c").increment()
        let plain = Oriel.exposition(of: registry, accept: "*/*")
        #expect(plain.contentType == "text/plain; version=0.0.4; charset=utf-8")
        let open = Oriel.exposition(of: registry, accept: "application/openmetrics-text;version=1.0.0")
        #expect(open.contentType == "application/openmetrics-text; version=1.0.0; charset=utf-8")
        #expect(String(decoding: open.body, as: UTF8.self).hasSuffix("# EOF\n"))
    }
}
