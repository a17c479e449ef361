import OrielStore
import OrielTelemetry

/// Aggregation row by row, written from its documentation: rows are gathered by group, then each measure looks at all of a group's values.
enum ReferenceAggregation {
    private struct Group {
        var key: [GroupValue]
        var bucketStart: Timestamp?
        var rows: [(batch: ColumnBatch, row: Int)] = []
    }

    static func table(_ batches: [ColumnBatch], by aggregation: Aggregation, signal: Signal) throws -> AggregateTable {
        var groups: [String: Group] = [:]
        var table = AggregateTable(aggregation, signal: signal)
        for batch in batches {
            // By key; nothing where it is the stream.
            let rows = Array(0..<batch.count)
            let keys: [[GroupValue]] = try aggregation.keys.map { part in
                if case .field(let field) = part { try values(of: field, rows, batch) } else { [] }
            }
            for row in rows {
                var key: [GroupValue] = []
                for (part, values) in zip(aggregation.keys, keys) {
                    switch part {
                    case .stream:
                        let id = position(row, batch).stream
                        key.append(.stream(id))
                        table.note(id, descriptor: batch.streams.descriptor(Int(batch.streamIndexes[row])))
                    case .field: key.append(values[row])
                    }
                }
                let start = aggregation.timeBuckets.map { bucketStart(of: batch.times[row], $0, signal) }
                let name = "\(start.map { "\($0.nanoseconds)" } ?? "") " + key.map(describe).joined(separator: " | ")
                groups[name, default: Group(key: key, bucketStart: start)].rows.append((batch, row))
            }
        }
        for group in groups.values {
            let measures = try aggregation.measures.map { measure in
                let numbers = try measure.field.map { field in try group.rows.compactMap { try number(of: field, $0.row, $0.batch) } } ?? []
                return self.measure(measure, numbers, rowCount: group.rows.count)
            }
            try table.add(key: group.key, bucketStart: group.bucketStart, measures: measures)
        }
        return table
    }

    private static func position(_ row: Int, _ batch: ColumnBatch) -> ScanPosition {
        ScanPosition(
            time: batch.times[row], stream: batch.streams.id(Int(batch.streamIndexes[row])) ?? StreamID(high: 0, low: 0),
            ord: batch.ords.isEmpty ? 0 : batch.ords[row])
    }

    private static func values(of field: Field, _ rows: [Int], _ batch: ColumnBatch) throws -> [GroupValue] {
        if case .column(let id) = field, [.events, .links, .buckets].contains(id), case .bytes(let values) = batch[id] {
            return rows.map { .value(.bytes(values[$0])) }
        }
        return try ReferencePredicate.values(of: field, rows, batch).map { value in
            switch value {
            case .value(let value): .value(value)
            case .traceID(let id): .traceID(id)
            case .spanID(let id): .spanID(id)
            case nil: .missing
            }
        }
    }

    private static func number(of field: Field, _ row: Int, _ batch: ColumnBatch) throws -> TimedValue? {
        guard case .value(let value) = try ReferencePredicate.values(of: field, [row], batch)[0] else { return nil }
        switch value {
        case .int(let number): return TimedValue(position: position(row, batch), value: .int(number))
        case .double(let number) where !number.isStaleMarker: return TimedValue(position: position(row, batch), value: .double(number))
        default: return nil
        }
    }

    /// In 128 bits, clamped at each step as saturating arithmetic does.
    private static func bucketStart(of time: Int64, _ buckets: TimeBuckets, _ signal: Signal) -> Timestamp {
        func clamp(_ number: Int128) -> Int128 { min(max(number, Int128(Int64.min)), Int128(Int64.max)) }
        let nanoseconds = clamp(Int128(time) * Int128(signal.nanosecondsPerTimeUnit))
        let width = Int128(buckets.width)
        let distance = clamp(nanoseconds - Int128(buckets.origin.nanoseconds))
        var number = distance / width
        if distance < number * width { number -= 1 }
        return Timestamp(nanoseconds: Int64(clamp(clamp(number * width) + Int128(buckets.origin.nanoseconds))))
    }

    private static func measure(_ measure: Aggregation.Measure, _ numbers: [TimedValue], rowCount: Int) -> PartialMeasure {
        switch measure {
        case .count: return .count(Int64(rowCount))
        case .valueCount: return .count(Int64(numbers.count))
        case .sum:
            var sum = NumericSum()
            for number in numbers {
                switch number.value {
                case .int(let value): sum.add(value)
                case .double(let value): sum.add(value)
                }
            }
            return .sum(sum)
        case .minimum: return .minimum(extreme(numbers, isMinimum: true))
        case .maximum: return .maximum(extreme(numbers, isMinimum: false))
        case .first: return .first(numbers.min { $0.position.precedes($1.position, in: .time) })
        case .last: return .last(numbers.max { $0.position.precedes($1.position, in: .time) })
        case .distribution(_, let schema):
            let buckets = ExponentialBuckets(schema: schema)
            var distribution = ValueDistribution(schema: schema)
            for value in numbers.map(\.value.double) where !value.isNaN {
                if value == 0 {
                    distribution.zeroCount += 1
                } else {
                    distribution.add(1, index: buckets.index(of: abs(value)), isNegative: value < 0)
                }
            }
            return .distribution(distribution)
        }
    }

    private static func extreme(_ numbers: [TimedValue], isMinimum: Bool) -> NumericExtreme {
        var extreme = NumericExtreme(isMinimum: isMinimum)
        for number in numbers {
            switch number.value {
            case .int(let value): extreme.add(value)
            case .double(let value): extreme.add(value)
            }
        }
        return extreme
    }

    /// Equal for equal values, doubles by their bits, texts by their bytes.
    static func describe(_ value: GroupValue) -> String {
        switch value {
        case .missing: "missing"
        case .value(.double(let number)): "double #\(String(number.bitPattern, radix: 16))"
        case .value(let value): RowText.describe(value)
        case .traceID(let id): "trace \(id)"
        case .spanID(let id): "span \(id)"
        case .stream(let id): "stream \(id)"
        }
    }
}

/// Throws unless both tables have the same groups with the same measures. Sums of doubles may differ in their last digits.
///
/// - Parameter ordsMatch: Whether both number rows alike; engines may skip some numbers.
func expectSameMeasures(_ found: AggregateTable, _ expected: AggregateTable, ordsMatch: Bool = true, _ what: @autoclosure () -> String) throws {
    func groups(_ table: AggregateTable) throws -> [String: [PartialMeasure]] {
        var groups: [String: [PartialMeasure]] = [:]
        for group in 0..<table.count {
            let start = table.bucketStart(of: group).map { "\($0.nanoseconds)" } ?? ""
            let name = "\(start) " + table.key(of: group).map(ReferenceAggregation.describe).joined(separator: " | ")
            try expect(groups[name] == nil, "group \(name) is listed twice: \(what())")
            groups[name] = table.aggregation.measures.indices.map { table.measure($0, of: group) }
            for case .stream(let id) in table.key(of: group) {
                try expect(table.descriptor(of: id) != nil, "stream \(id) has no descriptor: \(what())")
            }
        }
        return groups
    }
    let foundGroups = try groups(found)
    let expectedGroups = try groups(expected)
    for (name, measures) in expectedGroups {
        guard let other = foundGroups[name] else { throw ConformanceFailure("group \(name) is missing: \(what())") }
        for (index, (left, right)) in zip(other, measures).enumerated() where !isSame(left, right, ordsMatch) {
            throw ConformanceFailure("measure \(index) of group \(name): expected \(right), found \(left): \(what())")
        }
    }
    if let extra = foundGroups.keys.first(where: { expectedGroups[$0] == nil }) {
        throw ConformanceFailure("group \(extra) should not be there: \(what())")
    }
}

private func isSame(_ left: PartialMeasure, _ right: PartialMeasure, _ ordsMatch: Bool) -> Bool {
    func isSame(_ left: Double?, _ right: Double?, within tolerance: Double = 0) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        return left == right || (left.isNaN && right.isNaN) || abs(left - right) <= tolerance * max(abs(left), abs(right))
    }
    func isSame(_ left: TimedValue?, _ right: TimedValue?) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        guard left.position.time == right.position.time, left.position.stream == right.position.stream else { return false }
        if ordsMatch, left.position.ord != right.position.ord { return false }
        if case (.double(let left), .double(let right)) = (left.value, right.value) { return left.bitPattern == right.bitPattern }
        return left.value == right.value
    }
    switch (left, right) {
    case (.sum(let left), .sum(let right)):
        return left.integers == right.integers && left.hasIntegers == right.hasIntegers && left.hasDoubles == right.hasDoubles
            && isSame(left.doubles, right.doubles, within: 1e-9)
    case (.minimum(let left), .minimum(let right)), (.maximum(let left), .maximum(let right)):
        return left.integer == right.integer && isSame(left.double, right.double)
    case (.first(let left), .first(let right)), (.last(let left), .last(let right)): return isSame(left, right)
    default: return left == right
    }
}
