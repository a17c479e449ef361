import OrielOTLP
import OrielTelemetry

/// The metrics of the shop, cumulative since its start: a histogram of request durations and counters from the traces, gauges of what lies in stock.
struct DemoMetrics {
    private struct Key: Hashable {
        var service: DemoService
        var attributes: [Attribute]
    }

    private struct Distribution {
        var buckets = [UInt64](repeating: 0, count: DemoMetrics.bounds.count + 1)
        var sum = 0.0
        var count: UInt64 = 0
        var exemplar: OTLPExemplar?
    }

    private static let bounds: [Double] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

    private let start: Timestamp
    private var durations: [Key: Distribution] = [:]
    private var orders: [String: Int64] = ["paid": 0, "cancelled": 0]
    private var invocations: Int64 = 0
    private var random: SeededRandom
    private var memory: [DemoService: Double] = [:]

    init(start: Timestamp, seed: UInt64) {
        self.start = start
        random = SeededRandom(seed: seed)
        for service in DemoService.allCases { memory[service] = Double(random.integer(40...300)) * 1_048_576 }
    }

    /// Counts what a trace shows.
    mutating func observe(_ trace: DemoTrace) {
        for (service, span) in trace.spans {
            if span.kind == DemoTrace.Kind.server.rawValue { observe(span, of: service) }
            if service == .receipts && span.kind == DemoTrace.Kind.consumer.rawValue { invocations += 1 }
        }
    }

    /// Counts an order.
    mutating func order(isPaid: Bool) {
        orders[isPaid ? "paid" : "cancelled", default: 0] += 1
    }

    private mutating func observe(_ span: OTLPSpan, of service: DemoService) {
        let kept = ["http.request.method", "http.route", "http.response.status_code"]
        let key = Key(service: service, attributes: span.attributes.filter { kept.contains($0.key) })
        let seconds = Double(span.endTime.nanoseconds - span.startTime.nanoseconds) / 1e9
        var distribution = durations[key] ?? Distribution()
        distribution.buckets[DemoMetrics.bounds.firstIndex { seconds <= $0 } ?? DemoMetrics.bounds.count] += 1
        distribution.sum += seconds
        distribution.count += 1
        distribution.exemplar = OTLPExemplar(time: span.endTime, value: .double(seconds), traceID: span.traceID, spanID: span.spanID)
        durations[key] = distribution
    }

    /// All points at a moment.
    mutating func points(at time: Timestamp) -> [OTLPScopeGroup<OTLPMetric>] {
        DemoService.allCases.map { service in
            var metrics: [OTLPMetric] = []
            let requests = durations.filter { $0.key.service == service }
            if !requests.isEmpty { metrics.append(duration(requests, at: time)) }
            let used = (memory[service] ?? 0) * (0.98 + 0.04 * random.fraction())
            memory[service] = min(max(used, 30 * 1_048_576), 600 * 1_048_576)
            metrics.append(
                OTLPMetric(
                    name: "process.memory.usage", description: "Memory of the process.", unit: "By",
                    points: .sum(
                        [OTLPNumberPoint(startTime: start, time: time, value: .int(Int64(used)))], temporality: .cumulative, isMonotonic: false)))
            if service == .orders { metrics += orderMetrics(at: time) }
            if service == .receipts {
                metrics.append(
                    OTLPMetric(
                        name: "faas.invocations", description: "Calls of the function.", unit: "{invocation}",
                        points: .sum(
                            [OTLPNumberPoint(startTime: start, time: time, value: .int(invocations))], temporality: .cumulative, isMonotonic: true)))
            }
            return OTLPScopeGroup(resource: service.resource, scope: service.scope, rows: metrics)
        }
    }

    private func duration(_ requests: [Key: Distribution], at time: Timestamp) -> OTLPMetric {
        OTLPMetric(
            name: "http.server.request.duration", description: "Time to answer a request.", unit: "s",
            points: .histogram(
                requests.map { key, distribution in
                    OTLPHistogramPoint(
                        attributes: key.attributes, startTime: start, time: time, count: distribution.count, sum: distribution.sum,
                        bucketCounts: distribution.buckets, explicitBounds: DemoMetrics.bounds, exemplars: distribution.exemplar.map { [$0] } ?? [])
                }, temporality: .cumulative))
    }

    private mutating func orderMetrics(at time: Timestamp) -> [OTLPMetric] {
        let counts = orders.sorted { $0.key < $1.key }.map { state, count in
            OTLPNumberPoint(attributes: [Attribute("order.state", .string(state))], startTime: start, time: time, value: .int(count))
        }
        let queue = OTLPNumberPoint(attributes: [Attribute("queue", "order.paid")], time: time, value: .int(Int64(random.integer(0...12))))
        return [
            OTLPMetric(
                name: "shop.orders", description: "Orders by how they ended.", unit: "{order}",
                points: .sum(counts, temporality: .cumulative, isMonotonic: true)),
            OTLPMetric(name: "shop.queue.depth", description: "Events that wait.", unit: "{event}", points: .gauge([queue])),
        ]
    }
}
