import OrielOTLP
public import OrielTelemetry

/// What sums that are sent count from.
public enum MetricTemporality: String, Sendable, Hashable, CaseIterable {
    /// From the start of the process: a lost request costs nothing.
    case cumulative
    /// From the request before: what functions need, whose sandboxes come and go, so that all of them add up in one series.
    case delta
    /// As ``delta`` where it is counted as it happens; ``cumulative`` of what is read at each request, so that what was read need not be remembered.
    case lowMemory

    /// What the sums of a metric count from.
    func isDelta(_ family: MetricSnapshot.Family) -> Bool {
        switch self {
        case .cumulative: false
        case .delta: true
        case .lowMemory: !family.isAsynchronous
        }
    }
}

/// Makes requests of a registry's metrics, one at a time and each of a bounded size.
///
/// A reading of all metrics goes into as many requests as it needs. When one of them does not arrive the rest is read anew at the next attempt, beginning with what did not arrive: nothing old
/// waits in memory, and a receiver that takes only a few requests at a time gets all series in turn.
public struct MetricPush: Sendable {
    /// Requests in a row with the same series that did not arrive, after which others come first.
    private static let failuresInTurn = 3

    private let reader: MetricReader
    private let resource: Resource
    private let scope: InstrumentationScope
    private let temporality: MetricTemporality
    private let sharesSeries: Bool
    /// What was last sent, by family and labels; for deltas.
    private var baseline = MetricBaseline()
    /// A request with deltas that was not delivered. It stays as it is, so that a receiver which did get it can tell, and none follows before it is done with.
    private var unfinished: ExportBatch?
    /// What is under way.
    private var reading: MetricReading?
    /// What the last request begins with, and what the next reading does.
    private var requestPlace = MetricReading.Place()
    private var firstPlace = MetricReading.Place()
    /// Requests in a row that did not arrive.
    private var failures = 0
    /// When the last reading was that is done with: of exemplars only those since then are told.
    private var doneTime: Timestamp?
    /// The last removal of a series that the last reading tells of.
    private var lastRemoval: UInt64 = 0

    /// How often the metrics were read.
    private(set) var readings: UInt64 = 0

    /// Whether the next request is one that was made before.
    var hasUnfinished: Bool { unfinished != nil }

    /// Whether all of the last reading is done with.
    var isComplete: Bool { unfinished == nil && reading?.isEmpty ?? false }

    /// - Parameters:
    ///   - scope: the instrumentation scope that all metrics are said to be of.
    ///   - sharesSeries: whether other processes at the same time add to the same series, as the sandboxes of a function do. Deltas then do not tell when they begin, which OTLP
    ///     leaves open: each process has its own times, and a receiver takes points of one series that overlap for repetitions.
    public init(
        registry: MetricRegistry, resource: Resource, scope: InstrumentationScope = InstrumentationScope(name: "oriel"),
        temporality: MetricTemporality = .cumulative, sharesSeries: Bool = false
    ) {
        reader = MetricReader(registry)
        self.resource = resource
        self.scope = scope
        self.temporality = temporality
        self.sharesSeries = sharesSeries
    }

    /// The request to send now; `nil` when there is nothing more to tell.
    ///
    /// - Parameter limit: its bytes, about.
    mutating func request(limit: Int) -> ExportBatch? {
        if let unfinished { return unfinished }
        var reading = self.reading ?? read()
        requestPlace = reading.place
        let families = reading.take(upTo: limit)
        self.reading = reading
        let metrics = MetricSnapshot(time: reading.time, families: families).otlpMetrics(temporality: temporality)
        guard !metrics.isEmpty else { return nil }
        let group = OTLPScopeGroup(resource: resource, scope: scope, rows: metrics)
        let batch = ExportBatch(
            signal: .metrics, request: OTLPEncoder.metrics([group]), itemCount: metrics.reduce(0) { $0 + $1.pointCount })
        if temporality != .cumulative { unfinished = batch }
        return batch
    }

    private mutating func read() -> MetricReading {
        readings += 1
        var snapshot: MetricSnapshot
        (snapshot, lastRemoval) = reader.snapshot()
        if temporality != .cumulative {
            snapshot = baseline.delta(of: snapshot, where: temporality.isDelta)
            if sharesSeries { snapshot.removeStarts() }
        } else if let doneTime {
            snapshot.removeExemplars(before: doneTime)
        }
        return MetricReading(snapshot, from: firstPlace)
    }

    /// To be called when the last request was delivered or refused.
    mutating func noteDone() {
        failures = 0
        unfinished = nil
    }

    /// To be called when the last request did not arrive.
    mutating func noteFailed() {
        failures += 1
        guard let reading else { return }
        // What never arrives must not hold up the rest for ever. Deltas cannot be told in another order.
        firstPlace = hasUnfinished || failures >= Self.failuresInTurn ? reading.place : requestPlace
        if failures >= Self.failuresInTurn { failures = 0 }
        leaveReading()
    }

    /// Lets go of what is in no request yet: the next request holds what it is then.
    mutating func leaveReading() {
        if temporality != .cumulative, let reading { baseline.takeBack(reading.rest) }
        reading = nil
    }

    /// To be called when a reading is done with.
    mutating func endReading() {
        doneTime = reading?.time ?? doneTime
        reading = nil
        firstPlace = MetricReading.Place()
        baseline.settle()
        reader.noteRead(through: lastRemoval)
    }
}

extension MetricSnapshot {
    /// The clock of exemplars lags behind by the time between two ticks of the kernel, at most.
    private static let tick: Int64 = 10_000_000

    /// Leaves open when each series began.
    fileprivate mutating func removeStarts() {
        for family in families.indices {
            for series in families[family].series.indices { families[family].series[series].start = Timestamp(nanoseconds: 0) }
        }
    }

    /// Leaves out the exemplars that a request at `time` held already.
    fileprivate mutating func removeExemplars(before time: Timestamp) {
        let limit = Timestamp(nanoseconds: time.nanoseconds.subtractingSaturating(Self.tick))
        for family in families.indices {
            for series in families[family].series.indices {
                switch families[family].series[series].point {
                case .counter(let value, let exemplar?) where exemplar.time < limit:
                    families[family].series[series].point = .counter(value, exemplar: nil)
                case .histogram(var histogram) where histogram.exemplars.contains { $0.map { $0.time < limit } ?? false }:
                    histogram.exemplars = histogram.exemplars.map { $0.flatMap { $0.time < limit ? nil : $0 } }
                    families[family].series[series].point = .histogram(histogram)
                case .exponentialHistogram(var histogram) where histogram.exemplars.contains { $0.time < limit }:
                    histogram.exemplars.removeAll { $0.time < limit }
                    families[family].series[series].point = .exponentialHistogram(histogram)
                default: break
                }
            }
        }
    }
}
