import CoreMetrics
import Oriel
import Tracing

/// Instruments of swift-metrics.
struct MetricBenchmark {
    private let options: Options
    private let tracer: Oriel.Tracer
    private let factory = Oriel.RegistryMetricsFactory(registry: Oriel.MetricRegistry())
    private let nothing = NOOPMetricsHandler.instance
    /// Values that fall into many buckets, in nanoseconds: 1 ms to 3 s.
    private let durations = (0..<1024).map { Int64(1_000_000 * (1 + ($0 * 7919) % 3000)) }
    private let measurement: Measurement

    /// - Parameter tracer: makes spans that are sampled.
    init(tracer: Oriel.Tracer, options: Options) {
        self.options = options
        measurement = Measurement(rounds: 20 * options.repetitions, calls: 200_000)
        self.tracer = tracer
    }

    func run(_ report: inout Report) {
        for threads in [1, 2, 4, 8] { shared(threads, &report) }
        for threads in [1, 2, 4, 8] { own(threads, &report) }
        histograms("", Aim(nanoseconds: 25, mallocs: 0), &report)
        tracer.withSpan("parent") { _ in histograms(", inside a span", Aim(nanoseconds: 90, mallocs: 0), &report) }
        lookup(&report)
        scrape(&report)
    }

    // MARK: Counters

    private func shared(_ threads: Int, _ report: inout Report) {
        let name = "counter increment, threads on one counter: \(threads)"
        guard options.wants(name) else { return }
        let real = CoreMetrics.Counter(label: "shared.\(threads)", factory: factory)
        let base = CoreMetrics.Counter(label: "shared", factory: nothing)
        count(name, threads, { _ in base }, { _ in real }, &report)
    }

    private func own(_ threads: Int, _ report: inout Report) {
        let name = "counter increment, threads with one each: \(threads)"
        guard options.wants(name) else { return }
        let real = (0..<threads).map { CoreMetrics.Counter(label: "own.\(threads).\($0)", factory: factory) }
        let base = CoreMetrics.Counter(label: "own", factory: nothing)
        count(name, threads, { _ in base }, { real[$0] }, &report)
    }

    private func count(
        _ name: String, _ threads: Int, _ base: @escaping @Sendable (Int) -> CoreMetrics.Counter, _ real: @escaping @Sendable (Int) -> CoreMetrics.Counter,
        _ report: inout Report
    ) {
        let measurement = Measurement(rounds: 5 * options.repetitions, calls: 10_000_000)
        let costs = measurement.costs(
            threads: threads,
            [base, real].map { counter in
                { position, calls in
                    let counter = counter(position)
                    for _ in 0..<calls { counter.increment() }
                }
            })
        report.add(name, costs[1], above: costs[0], aim: Aim(nanoseconds: 10, mallocs: 0))
    }

    // MARK: Histograms

    private func histograms(_ place: String, _ aim: Aim, _ report: inout Report) {
        let durations = durations
        let timers = "histogram record, explicit buckets\(place)"
        if options.wants(timers) {
            let real = CoreMetrics.Timer(label: "explicit", factory: factory)
            let base = CoreMetrics.Timer(label: "explicit", factory: nothing)
            let costs = measurement.costs([base, real].map { timer in { for call in 0..<$0 { timer.recordNanoseconds(durations[call & 1023]) } } })
            report.add(timers, costs[1], above: costs[0], aim: aim)
        }
        let recorders = "histogram record, exponential buckets\(place)"
        if options.wants(recorders) {
            let real = CoreMetrics.Recorder(label: "exponential", factory: factory)
            let base = CoreMetrics.Recorder(label: "exponential", factory: nothing)
            let costs = measurement.costs([base, real].map { recorder in { for call in 0..<$0 { recorder.record(durations[call & 1023]) } } })
            report.add(recorders, costs[1], above: costs[0], aim: aim)
        }
    }

    // MARK: Instruments

    private func lookup(_ report: inout Report) {
        let name = "counter by label and 2 dimensions, and increment"
        guard options.wants(name) else { return }
        let status = String(200)
        let factories: [any MetricsFactory] = [nothing, factory]
        let costs = Measurement(rounds: 20 * options.repetitions, calls: 20_000).costs(
            factories.map { factory in
                {
                    for _ in 0..<$0 {
                        CoreMetrics.Counter(label: "http.requests", dimensions: [("method", "GET"), ("code", status)], factory: factory).increment()
                    }
                }
            })
        report.add(name, costs[1], above: costs[0])
    }

    // MARK: Scrapes

    private func scrape(_ report: inout Report) {
        let name = "scrape of 10,000 counters"
        guard options.wants(name) else { return }
        let registry = Oriel.MetricRegistry(configuration: .init(seriesLimit: 20_000))
        let factory = Oriel.RegistryMetricsFactory(registry: registry)
        for user in 0..<10_000 { CoreMetrics.Counter(label: "requests", dimensions: [("user", "\(user)"), ("code", "200")], factory: factory).increment() }
        var bytes = 0
        let cost = Measurement(rounds: 10 * options.repetitions, calls: 1).costs([
            { for _ in 0..<$0 { bytes = Oriel.exposition(of: registry, accept: nil).body.count } }
        ])[0]
        report.add(name, cost.nanoseconds / 1000, "us")
        report.add("\(name), length", Double(bytes), "bytes")
    }
}
