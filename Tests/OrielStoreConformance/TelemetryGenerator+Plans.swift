public import OrielStore
public import OrielTelemetry

extension TelemetryGenerator {
    /// A plan of any shape, without a position.
    ///
    /// - Parameter streams: Ids to choose from.
    public mutating func plan(_ signal: Signal, streams: [StreamID] = []) -> ScanPlan {
        var plan = ScanPlan(signal: signal, range: range(), order: random.pick([.time, .timeDescending, .streamThenTime]))
        if random.oneIn(3) { plan.streamMatchers = matchers(signal) }
        if random.oneIn(6), !streams.isEmpty { plan.streams = Set((0..<(1 + random.below(3))).map { _ in random.pick(streams) }) }
        if random.oneIn(6), !streams.isEmpty {
            let ends = [random.pick(streams), random.pick(streams)].sorted()
            plan.streamRange = ends[0]...ends[1]
        }
        if random.oneIn(6) { plan.traceIDs = Set((0..<(1 + random.below(4))).map { _ in random.pick(traceIDs) }) }
        if random.oneIn(2) { plan.predicate = predicate(signal) }
        if random.oneIn(2) { plan.projection = projection(signal) }
        if random.oneIn(3) { plan.limit = random.below(60) }
        return plan
    }

    /// Of samples a deletion names whole streams: whether one that another replaced comes back when the other is deleted is left open.
    public mutating func deletion() -> Deletion {
        let signal = random.pick(Signal.allCases)
        var deletion = Deletion(signals: [signal], range: random.oneIn(2) ? range() : .all, streamMatchers: matchers(signal))
        if signal.hasOrds, random.oneIn(2) { deletion.predicate = predicate(signal) }
        if random.oneIn(4) { deletion.signals.insert(random.pick(Signal.allCases)) }
        if deletion.signals.contains(where: { !$0.hasOrds }) { deletion.predicate = .all }
        return deletion
    }

    /// A range that holds all, many or few rows.
    public mutating func range() -> TimeRange {
        if random.oneIn(3) { return .all }
        let second: Int64 = 1_000_000_000
        let width = random.pick([1, 60 * second, 3_600 * second, 86_400 * second])
        let end = now - Int64(random.below(40)) * 450 * second + Int64(random.below(2))
        return TimeRange(start: Timestamp(nanoseconds: end - width), end: Timestamp(nanoseconds: end))
    }

    public mutating func matchers(_ signal: Signal) -> [StreamMatcher] {
        let operation: StreamMatcher.Operation = random.oneIn(2) ? .equal : .notEqual
        guard signal.isMetric else {
            return switch random.below(3) {
            case 0: [StreamMatcher("service.name", operation, random.pick(TelemetryGenerator.services))]
            case 1: [StreamMatcher("otel.scope.name", operation, "lib"), StreamMatcher("host.id", .notEqual, "3")]
            default: [StreamMatcher("missing", operation, "")]
            }
        }
        return switch random.below(3) {
        case 0: [StreamMatcher(Label.metricName, operation, "up")]
        case 1: [StreamMatcher("zone", operation, ""), StreamMatcher("job", .equal, "api")]
        default: [StreamMatcher("instance", operation, "host-2")]
        }
    }

    public mutating func projection(_ signal: Signal) -> Projection {
        let columns = Set(signal.columns.filter { _ in random.oneIn(3) })
        switch random.below(3) {
        case 0: return Projection(columns: columns, attributes: .none)
        case 1: return Projection(columns: columns, attributes: .all)
        default: return Projection(columns: columns, attributes: .keys(Set((0..<3).map { _ in random.pick(TelemetryGenerator.keys) })))
        }
    }

    /// A predicate of up to three levels.
    public mutating func predicate(_ signal: Signal, depth: Int = 0) -> Predicate {
        switch random.below(depth < 3 ? 9 : 5) {
        case 0, 1:
            let field = field(signal)
            let comparison: Predicate.Comparison = random.pick([.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual])
            return .compare(field, comparison, literal(for: field, signal), missing: missing())
        case 2:
            let field = field(signal)
            let literals = (0..<random.below(5)).map { _ in literal(for: field, signal) }
            return .isOneOf(field, literals, missing: missing())
        case 3:
            let field = field(signal)
            if random.oneIn(2) { return .contains(field, text(), caseSensitive: random.oneIn(2), missing: missing()) }
            return .containsWords(field, text(), caseSensitive: random.oneIn(2), missing: missing())
        case 4: return .exists(field(signal))
        case 5: return .and((0..<random.below(4)).map { _ in predicate(signal, depth: depth + 1) })
        case 6, 7: return .or((0..<random.below(4)).map { _ in predicate(signal, depth: depth + 1) })
        default: return .not(predicate(signal, depth: depth + 1))
        }
    }

    private mutating func text() -> String {
        random.pick(["", "e", "k", "É", "ß", "DISK", "get", "300 k", "timeout", "école", "\u{212A}"])
    }

    private mutating func missing() -> Predicate.MissingRule { random.pick([.unknown, .isFalse, .isTrue, .asEmptyString]) }

    mutating func field(_ signal: Signal) -> Field {
        let key = random.pick(TelemetryGenerator.keys + ["absent", "host.id", "zone"])
        return switch random.below(9) {
        case 0: .time
        case 1..<4: .column(random.oneIn(10) ? random.pick(ColumnID.allCases) : random.pick(signal.columns))
        case 4..<6: .attribute(key)
        case 6: .resourceAttribute(key)
        case 7: .scopeAttribute(random.oneIn(2) ? key : "otel.scope.name")
        default: .anyAttribute(key)
        }
    }

    private mutating func literal(for field: Field, _ signal: Signal) -> Predicate.Literal {
        if !random.oneIn(5) {
            switch field {
            case .time: return .int(time(signal))
            case .column(let id) where id.kind == .traceID: return .traceID(random.pick(traceIDs))
            case .column(let id) where id.kind == .identifier: return .spanID(SpanID(rawValue: random.oneIn(2) ? 0 : random.next()))
            case .column(let id) where id.kind == .integer: return random.oneIn(4) ? .double(2.5) : .int(Int64(random.below(24)))
            default: break
            }
        }
        return switch random.below(8) {
        case 0..<3: .string(random.pick(TelemetryGenerator.texts + TelemetryGenerator.services))
        case 3..<5: .int(random.pick(TelemetryGenerator.numbers))
        case 5..<7: .double(random.pick(TelemetryGenerator.doubles + [0.5, 200.5]))
        default: .bool(random.oneIn(2))
        }
    }
}
