import OrielClient
import Testing

@Suite struct MetricConcurrencyTests {
    private static let tasks = 8
    private static let rounds = 20_000

    private struct Steps {
        private var state: UInt64
        init(seed: UInt64) { state = seed &* 2 | 1 }
        mutating func next(below bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
    }

    @Test(arguments: [1, 2] as [UInt64]) func countersSumExactly(seed: UInt64) async {
        let registry = quietRegistry()
        let counter = registry.counter("c")
        let gauge = registry.gauge("g")
        let expected = await withTaskGroup(of: (Int, Int).self) { group in
            for task in 0..<Self.tasks {
                group.addTask {
                    var steps = Steps(seed: seed &+ UInt64(task))
                    var whole = 0
                    var quarters = 0
                    for _ in 0..<Self.rounds {
                        let amount = steps.next(below: 100)
                        counter.increment(by: amount)
                        counter.increment(by: Double(amount) / 4)
                        gauge.add(Double(amount))
                        whole += amount
                        quarters += amount
                    }
                    return (whole, quarters)
                }
            }
            return await group.reduce(into: (0, 0)) { $0 = ($0.0 + $1.0, $0.1 + $1.1) }
        }
        #expect(counter.value == Double(expected.0) + Double(expected.1) / 4, "seed \(seed)")
        #expect(gauge.value == Double(expected.0), "seed \(seed)")
    }

    @Test(arguments: [HistogramBuckets.explicit([10, 20, 50]), .exponential()])
    func histogramsSumExactly(_ buckets: HistogramBuckets) async {
        let registry = quietRegistry()
        let histogram = registry.histogram("h", buckets: buckets)
        let expected = await withTaskGroup(of: Int.self) { group in
            for task in 0..<Self.tasks {
                group.addTask {
                    var steps = Steps(seed: UInt64(task))
                    var sum = 0
                    for _ in 0..<Self.rounds {
                        let value = steps.next(below: 100)
                        histogram.record(Double(value))
                        sum += value
                    }
                    return sum
                }
            }
            return await group.reduce(0, +)
        }
        #expect(registry.value("h_sum") == Double(expected))
        #expect(registry.value("h_count") == Double(Self.tasks * Self.rounds))
        #expect(registry.value("h_bucket{le=\"+Inf\"}") == Double(Self.tasks * Self.rounds))
    }

    @Test func threadsThatAskForTheSameGetTheSame() async {
        let registry = quietRegistry(seriesLimit: 50)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.tasks {
                group.addTask {
                    for round in 0..<2000 {
                        registry.counter("c.odd", labels: ["b": "\(round % 20)", "a.x": "1"]).increment()
                        registry.counter("many", labels: ["n": "\(round)"]).increment()
                        if round % 100 == 0 { _ = registry.snapshot() }
                    }
                }
            }
        }
        let snapshot = registry.snapshot()
        for (name, count) in [("c_odd", 20), ("many", 50)] {
            let family = snapshot.families.first { $0.name == name }
            #expect(family?.series.count == count)
            let sum = (family?.series ?? []).reduce(0.0) {
                if case .counter(let value, _) = $1.point { $0 + value } else { $0 }
            }
            #expect(sum == Double(Self.tasks * 2000), "\(name)")
        }
    }
}
