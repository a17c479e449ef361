import OrielStore
import OrielTelemetry

extension TelemetryGenerator {
    /// An aggregation of any shape.
    mutating func aggregation(_ signal: Signal) -> Aggregation {
        let keys = (0..<random.pick([0, 1, 1, 2, 3])).map { _ in key(signal) }
        let measures = (0..<(1 + random.below(4))).map { _ in measure(signal) }
        var aggregation = Aggregation(keys: keys, measures: random.oneIn(4) ? [.count] : measures, groupLimit: 1_000_000)
        if random.oneIn(2) {
            let second: Int64 = 1_000_000_000
            let origin = random.pick([0, start, start + 7, .min, .max])
            aggregation.timeBuckets = TimeBuckets(
                origin: Timestamp(nanoseconds: origin), width: random.pick([1, 15 * second, 60 * second + 1, 3_600 * second, 86_400 * second, .max]))
        }
        return aggregation
    }

    private mutating func key(_ signal: Signal) -> Aggregation.Key {
        switch random.below(4) {
        case 0: .stream
        case 1 where signal.isMetric: .field(.resourceAttribute(random.pick([Label.metricName, "job", "zone", "absent"])))
        case 1: .field(.resourceAttribute("service.name"))
        default: .field(field(signal))
        }
    }

    private mutating func measure(_ signal: Signal) -> Aggregation.Measure {
        var measured = field(signal)
        if random.oneIn(2) {
            let numeric = signal.columns.filter { $0.kind == .integer || $0.kind == .double }
            measured = .column(random.pick(numeric))
        }
        return switch random.below(8) {
        case 0: .count
        case 1: .valueCount(measured)
        case 2: .sum(measured)
        case 3: .minimum(measured)
        case 4: .maximum(measured)
        case 5: .first(measured)
        case 6: .last(measured)
        default: .distribution(measured, schema: random.pick([-4, -1, 0, 3, 8]))
        }
    }
}
