import Oriel
import OrielOTLP
import OrielTelemetry

/// The metrics of the shop's past, as the client library sends them: cumulative since the start of the past, those of the function as what was added since the last time.
struct DemoPastMetrics {
    /// What tells apart the series of ``DemoMetric/requestDuration``.
    struct Series: Hashable {
        var service: DemoService
        /// The attributes of the request.
        var labels: [Attribute]
    }

    /// The scope that the client library says its metrics are of.
    private static let scope = InstrumentationScope(name: "oriel")

    private let start: Timestamp
    /// All durations, in nanoseconds, with an exemplar of the last one.
    private(set) var durations: [Series: [Int64]] = [:]
    private var exemplars: [Series: OTLPExemplar] = [:]
    private(set) var orders: [DemoOrderState: Int] = [.paid: 0, .cancelled: 0]
    private var newInvocations: Int64 = 0
    private var invocationTime: Timestamp
    private(set) var memory: DemoMemory

    init(start: Timestamp, seed: UInt64) {
        self.start = start
        invocationTime = start
        memory = DemoMemory(seed: seed)
    }

    /// Counts what a trace shows.
    mutating func observe(_ trace: DemoTrace) {
        for (service, span) in trace.spans {
            if span.kind == 2 { observe(span, of: service) }
            if service == .receipts && span.kind == 5 { newInvocations += 1 }
        }
        for state in trace.orders { orders[state, default: 0] += 1 }
    }

    private mutating func observe(_ span: OTLPSpan, of service: DemoService) {
        let series = Series(service: service, labels: span.attributes.filter { DemoMetric.requestLabels.contains($0.key) })
        let duration = span.endTime.nanoseconds - span.startTime.nanoseconds
        durations[series, default: []].append(duration)
        exemplars[series] = OTLPExemplar(time: span.endTime, value: .double(Double(duration) / 1e9), traceID: span.traceID, spanID: span.spanID)
    }

    /// All points at a moment.
    ///
    /// - Parameter waiting: how many events wait for the function.
    mutating func points(at time: Timestamp, waiting: Int) -> [OTLPScopeGroup<OTLPMetric>] {
        DemoService.allCases.map { service in
            var metrics = [metric(.memory, .gauge([OTLPNumberPoint(time: time, value: .double(Double(memory.next(service))))]))]
            let requests = durations.filter { $0.key.service == service }
            if !requests.isEmpty {
                metrics.append(metric(.requestDuration, .histogram(requests.map { point($0.key, $0.value, at: time) }, temporality: .cumulative)))
            }
            if service == .orders { metrics += orderMetrics(at: time, waiting: waiting) }
            if service == .receipts { metrics.append(invocations(until: time)) }
            return OTLPScopeGroup(resource: Oriel.metricResource(of: service.resource), scope: Self.scope, rows: metrics)
        }
    }

    private func metric(_ metric: DemoMetric, _ points: OTLPMetric.Points) -> OTLPMetric {
        OTLPMetric(name: metric.rawValue, description: metric.help, unit: metric.unit, points: points)
    }

    private func point(_ series: Series, _ durations: [Int64], at time: Timestamp) -> OTLPHistogramPoint {
        var buckets = [UInt64](repeating: 0, count: DemoMetric.bounds.count + 1)
        var sum = 0.0
        // In the order in which the client library gets them in the end, so that its sum is the same to the last bit.
        for duration in durations {
            let seconds = Double(duration) / 1e9
            buckets[DemoMetric.bounds.firstIndex { seconds <= $0 } ?? DemoMetric.bounds.count] += 1
            sum += seconds
        }
        return OTLPHistogramPoint(
            attributes: series.labels, startTime: start, time: time, count: UInt64(durations.count), sum: sum, bucketCounts: buckets,
            explicitBounds: DemoMetric.bounds, exemplars: exemplars[series].map { [$0] } ?? [])
    }

    private func orderMetrics(at time: Timestamp, waiting: Int) -> [OTLPMetric] {
        let counts = orders.sorted { $0.key.rawValue < $1.key.rawValue }.map { state, count in
            OTLPNumberPoint(
                attributes: [Attribute(DemoMetric.orderLabel, .string(state.rawValue))], startTime: start, time: time, value: .int(Int64(count)))
        }
        let label = Attribute(DemoMetric.queueLabel.name, .string(DemoMetric.queueLabel.value))
        return [
            metric(.orders, .sum(counts, temporality: .cumulative, isMonotonic: true)),
            metric(.queueDepth, .gauge([OTLPNumberPoint(attributes: [label], time: time, value: .double(Double(waiting)))])),
        ]
    }

    /// The counter that the client library keeps of each function.
    private mutating func invocations(until time: Timestamp) -> OTLPMetric {
        let point = OTLPNumberPoint(startTime: invocationTime, time: time, value: .int(newInvocations))
        invocationTime = time
        newInvocations = 0
        return OTLPMetric(
            name: "faas.invocations", description: "Invocations that ended without an error.", unit: "{invocation}",
            points: .sum([point], temporality: .delta, isMonotonic: true))
    }
}

extension AttributeValue {
    /// The value as a label of a metric.
    var labelText: String {
        switch self {
        case .string(let text): text
        case .int(let integer): "\(integer)"
        case .empty, .bool, .double, .array, .map, .bytes: ""
        }
    }
}
