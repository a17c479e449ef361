import CoreMetrics
import Oriel
import OrielClient
import Testing

/// What the factory adds to the registry: side tables, and instruments that are found again.
@Suite struct MetricsFactoryTests {
    private let registry = Oriel.MetricRegistry(configuration: .init(seriesLimit: 50, reportsItself: false))

    private func series(_ name: String) -> Int { registry.snapshot().families.first { $0.name == name }?.series.count ?? 0 }

    @Test func unitsHelpAndBucketsByLabel() {
        var factory = Oriel.RegistryMetricsFactory(registry: registry, units: ["sent": "By"], help: ["sent": "Bytes sent."])
        factory.units["level"] = "Cel"
        factory.units["query"] = "ms"
        factory.buckets["query"] = .explicit([0.5])
        factory.buckets["size"] = .explicit([10, 20])
        CoreMetrics.Counter(label: "sent", factory: factory).increment()
        Meter(label: "level", factory: factory).set(20)
        CoreMetrics.Timer(label: "query", factory: factory).recordSeconds(1)
        Recorder(label: "size", factory: factory).record(15)
        let text = Oriel.prometheusText(registry)
        for line in [
            "# HELP sent_bytes_total Bytes sent.", "sent_bytes_total 1", "level_celsius 20", "query_seconds_bucket{le=\"0.5\"} 0", "query_seconds_count 1",
            "size_bucket{le=\"20\"} 1",
        ] {
            #expect(text.contains(line + "\n"), "\(line)\n\(text)")
        }
    }

    @Test func stepsThatAreNoNumbersAreLeftOutAndCounted() {
        let registry = Oriel.MetricRegistry()
        let meter = Meter(label: "depth", factory: Oriel.RegistryMetricsFactory(registry: registry))
        meter.set(3)
        for step in [Double.nan, .infinity, -.infinity] {
            meter.increment(by: step)
            meter.decrement(by: step)
        }
        meter.increment(by: 2.5)
        meter.decrement(by: 1)
        let text = Oriel.prometheusText(registry)
        #expect(text.contains("\ndepth 4.5\n"), "\(text)")
        #expect(text.contains("\noriel_metric_registry_ignored_values_total 6\n"), "\(text)")
    }

    @Test func theSameIsFoundAgain() {
        let factory = Oriel.RegistryMetricsFactory(registry: registry)
        let first = factory.makeCounter(label: "c", dimensions: [("a", "1"), ("b", "2")])
        #expect(factory.makeCounter(label: "c", dimensions: [("a", "1"), ("b", "2")]) === first)
        #expect(factory.makeCounter(label: "c", dimensions: [("b", "2"), ("a", "1")]) === first)
        #expect(factory.makeFloatingPointCounter(label: "c", dimensions: [("a", "1"), ("b", "2")]) === first)
        #expect(factory.makeCounter(label: "c", dimensions: [("a", "2"), ("b", "1")]) !== first)
        #expect(factory.makeCounter(label: "c", dimensions: [("a", "1")]) !== first)
        #expect(Oriel.RegistryMetricsFactory(registry: registry).makeCounter(label: "c", dimensions: [("a", "1"), ("b", "2")]) === first)
        let timer = factory.makeTimer(label: "t", dimensions: [])
        let recorder = factory.makeRecorder(label: "t", dimensions: [], aggregate: true)
        #expect(timer !== recorder)
        #expect(factory.makeRecorder(label: "t", dimensions: [], aggregate: true) === recorder)
    }

    @Test func destroyedInstrumentsAreNotFoundAgain() {
        let factory = Oriel.RegistryMetricsFactory(registry: registry)
        for _ in 0..<20_000 {
            let counter = factory.makeCounter(label: "c", dimensions: [("a", "1")])
            counter.increment(by: 1)
            factory.destroyCounter(counter)
        }
        #expect(Oriel.prometheusText(registry) == "")
        // Also when it is the registry that was told.
        let gauge = registry.gauge("g")
        #expect(factory.makeMeter(label: "g", dimensions: []) === gauge)
        registry.remove(gauge)
        factory.makeMeter(label: "g", dimensions: []).set(Int64(3))
        #expect(Oriel.prometheusText(registry).hasSuffix("g 3\n"))
        let histogram = factory.makeTimer(label: "t", dimensions: [])
        factory.destroyTimer(histogram)
        #expect(factory.makeTimer(label: "t", dimensions: []) !== histogram)
    }

    @Test func overflowIsSharedAndCounted() {
        let factory = Oriel.RegistryMetricsFactory(registry: registry)
        for index in 0..<500 { factory.makeCounter(label: "c", dimensions: [("user", "\(index)")]).increment(by: 1) }
        #expect(series("c") == 50)
        #expect(Oriel.prometheusText(registry).contains("c_total{otel_metric_overflow=\"true\"} 451\n"))
        // What is destroyed makes room.
        factory.destroyCounter(factory.makeCounter(label: "c", dimensions: [("user", "0")]))
        factory.makeCounter(label: "c", dimensions: [("user", "new")]).increment(by: 1)
        #expect(Oriel.prometheusText(registry).contains("c_total{user=\"new\"} 1\n"))
    }

    @Test func manyThreadsMakeAndDestroy() async {
        let factory = Oriel.RegistryMetricsFactory(registry: registry)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for round in 0..<3000 {
                        factory.makeCounter(label: "kept", dimensions: [("n", "\(round % 20)")]).increment(by: 1)
                        let gauge = factory.makeMeter(label: "own", dimensions: [("task", "\(task)")])
                        gauge.set(Int64(round))
                        if round % 3 == 0 { factory.destroyMeter(gauge) }
                    }
                }
            }
        }
        let kept = registry.snapshot().families.first { $0.name == "kept" }?.series ?? []
        #expect(kept.count == 20)
        #expect(kept.reduce(0.0) { if case .counter(let value, _) = $1.point { $0 + value } else { $0 } } == 24_000)
    }

    @Test func aFactoryOfATaskAndMappedNames() async throws {
        let factory = Oriel.RegistryMetricsFactory(registry: registry)
        let mapped = factory.withLabelAndDimensionsMapping { label, dimensions in ("shop.\(label)", dimensions + [("zone", "a")]) }
        withMetricsFactory(mapped) { CoreMetrics.Counter(label: "orders").increment() }
        #expect(Oriel.prometheusText(registry).contains("shop_orders_total{zone=\"a\"} 1\n"))
        CoreMetrics.Timer(label: "work", dimensions: [], preferredDisplayUnit: .milliseconds, factory: factory).recordNanoseconds(5_000_000)
        #expect(Oriel.prometheusText(registry).contains("work_seconds_sum 0.005\n"))
    }
}
