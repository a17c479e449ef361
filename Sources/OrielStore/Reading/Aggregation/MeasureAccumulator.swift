import OrielTelemetry

/// The numbers of some rows in one field.
enum NumberColumn {
    /// No row has a number.
    case none
    case integers([Int64])
    case doubles([Double])
    /// For each row what it has: nothing, an integer or a double.
    case mixed([NumericValue?])

    /// - Parameters:
    ///   - locals: The streams of the rows, where the field asks for them.
    ///   - streams: What is known of these streams.
    init(_ field: Field, _ rows: AggregatedRows, _ batch: ColumnBatch, _ locals: [UInt32], _ streams: AggregatedStreams) {
        switch field {
        case .time: self = .integers(NumberColumn.gather(rows, batch.times))
        case .column(let id):
            switch batch[id] {
            case .integers(let values): self = .integers(NumberColumn.gather(rows, values))
            case .doubles(let values): self = .doubles(NumberColumn.gather(rows, values))
            case .bytes(let values) where id == .body: self = NumberColumn.bodies(rows, values, batch[.bodyType])
            case .absent, .identifiers, .traceIDs, .bytes: self = .none
            }
        case .attribute(let key):
            guard let finder = batch.attributes.flatMap({ AttributeFinder($0, key: key) }) else {
                self = .none
                return
            }
            self = NumberColumn.attributes(rows, finder, fallback: nil, locals)
        case .resourceAttribute, .scopeAttribute:
            guard let numbers = streams.numbers[field] else {
                self = .none
                return
            }
            self = .mixed(locals.map { numbers[Int($0)] })
        case .anyAttribute(let key):
            guard let numbers = streams.numbers[field] else {
                self = .none
                return
            }
            if let finder = batch.attributes.flatMap({ AttributeFinder($0, key: key) }) {
                self = NumberColumn.attributes(rows, finder, fallback: numbers, locals)
            } else {
                self = .mixed(locals.map { numbers[Int($0)] })
            }
        }
    }

    private static func gather<Value>(_ rows: AggregatedRows, _ values: [Value]) -> [Value] {
        rows.rows.map { $0.map { values[$0] } } ?? values
    }

    private static func attributes(_ rows: AggregatedRows, _ finder: AttributeFinder, fallback: [NumericValue?]?, _ locals: [UInt32]) -> NumberColumn {
        var numbers: [NumericValue?] = []
        numbers.reserveCapacity(rows.count)
        let types = finder.table.types
        let payloads = finder.table.payloads
        var guess = 0
        rows.forEach { row in
            guard let entry = finder.entry(of: row, &guess) else {
                numbers.append(fallback?[Int(locals[numbers.count])])
                return
            }
            switch AttributeType(rawValue: types[entry]) {
            case .int: numbers.append(.int(Int64(bitPattern: payloads[entry])))
            case .double: numbers.append(NumericValue(.double(Double(bitPattern: payloads[entry]))))
            default: numbers.append(nil)
            }
        }
        return .mixed(numbers)
    }

    private static func bodies(_ rows: AggregatedRows, _ values: ByteColumn, _ types: Column) -> NumberColumn {
        guard case .integers(let types) = types else { return .none }
        let bytes = values.bytes
        var numbers: [NumericValue?] = []
        numbers.reserveCapacity(rows.count)
        rows.forEach { row in
            switch AttributeType(rawValue: UInt8(truncatingIfNeeded: types[row])) {
            case .int, .double:
                do {
                    numbers.append(NumericValue(try AttributeValue(anyValue: bytes.span.extracting(values.range(of: row)))))
                } catch {
                    // Reads as empty, as everywhere; no decoder lets such a body in.
                    numbers.append(nil)
                }
            default: numbers.append(nil)
            }
        }
        return .mixed(numbers)
    }

    /// Calls one of the two for each row with a number, with the row's place among the rows.
    @inline(__always)
    func forEach(integer: (Int, Int64) -> Void, double: (Int, Double) -> Void) {
        switch self {
        case .none: break
        case .integers(let values):
            for index in values.indices { integer(index, values[index]) }
        case .doubles(let values):
            for index in values.indices where !values[index].isStaleMarker { double(index, values[index]) }
        case .mixed(let values):
            for index in values.indices {
                switch values[index] {
                case .int(let number): integer(index, number)
                case .double(let number): double(index, number)
                case nil: break
                }
            }
        }
    }
}

/// One measure of all groups.
struct MeasureAccumulator: Sendable {
    let measure: Aggregation.Measure
    // By group; only those that the measure asks for are filled.
    private var counts: [Int64] = []
    private var sums: [NumericSum] = []
    private var extremes: [NumericExtreme] = []
    private var moments: [TimedValue?] = []
    private let buckets: ExponentialBuckets?
    /// Group << 32 | code of the bucket, and the values in it.
    private var bucketTable = IntegerTable()
    private var bucketCounts: [Int64] = []

    init(_ measure: Aggregation.Measure) {
        self.measure = measure
        if case .distribution(_, let schema) = measure { buckets = ExponentialBuckets(schema: schema) } else { buckets = nil }
    }

    var byteCount: Int {
        counts.count * 8 + sums.count * MemoryLayout<NumericSum>.stride + extremes.count * MemoryLayout<NumericExtreme>.stride
            + moments.count * MemoryLayout<TimedValue?>.stride + bucketTable.byteCount + bucketCounts.count * 8
    }

    private mutating func grow(_ groupCount: Int) {
        func grow<State>(_ states: inout [State], _ initial: State) {
            if states.count < groupCount { states.append(contentsOf: repeatElement(initial, count: groupCount - states.count)) }
        }
        switch measure {
        case .count, .valueCount: grow(&counts, 0)
        case .sum: grow(&sums, NumericSum())
        case .minimum: grow(&extremes, NumericExtreme(isMinimum: true))
        case .maximum: grow(&extremes, NumericExtreme(isMinimum: false))
        case .first, .last: grow(&moments, nil)
        case .distribution: break
        }
    }

    /// Adds rows that are only counted.
    mutating func add(count: Int64, group: Int, _ groupCount: Int) {
        grow(groupCount)
        counts[group] += count
    }

    /// - Parameters:
    ///   - numbers: The rows' numbers in the measured field.
    ///   - groups: The rows' groups.
    ///   - locals: The rows' streams, for a first or last.
    mutating func add(
        _ numbers: NumberColumn, _ rows: AggregatedRows, _ batch: ColumnBatch, _ groups: [UInt32], _ groupCount: Int, _ locals: [UInt32], _ ids: [StreamID]
    ) {
        grow(groupCount)
        switch measure {
        case .count:
            for group in groups { counts[Int(group)] &+= 1 }
        case .valueCount:
            numbers.forEach { index, _ in
                counts[Int(groups[index])] &+= 1
            } double: { index, _ in
                counts[Int(groups[index])] &+= 1
            }
        case .sum:
            numbers.forEach { index, number in
                sums[Int(groups[index])].add(number)
            } double: { index, number in
                sums[Int(groups[index])].add(number)
            }
        case .minimum, .maximum:
            numbers.forEach { index, number in
                extremes[Int(groups[index])].add(number)
            } double: { index, number in
                extremes[Int(groups[index])].add(number)
            }
        case .first, .last:
            let order: ScanOrder
            if case .first = measure { order = .time } else { order = .timeDescending }
            let times = batch.times
            let ords = batch.ords
            func add(_ index: Int, _ value: NumericValue) {
                let row = rows.rows?[index] ?? index
                let group = Int(groups[index])
                let position = ScanPosition(time: times[row], stream: ids[Int(locals[index])], ord: ords.isEmpty ? 0 : ords[row])
                if let known = moments[group], !position.precedes(known.position, in: order) { return }
                moments[group] = TimedValue(position: position, value: value)
            }
            numbers.forEach { index, number in
                add(index, .int(number))
            } double: { index, number in
                add(index, .double(number))
            }
        case .distribution:
            guard let buckets else { return }
            func add(_ index: Int, _ number: Double) {
                guard let code = buckets.code(of: number) else { return }
                let place = Int(bucketTable.intern(UInt64(groups[index]) << 32 | UInt64(code)))
                if place == bucketCounts.count { bucketCounts.append(0) }
                bucketCounts[place] &+= 1
            }
            numbers.forEach { index, number in
                add(index, Double(number))
            } double: { index, number in
                add(index, number)
            }
        }
    }

    /// The measure of each group.
    func partialMeasures(_ groupCount: Int) -> [PartialMeasure] {
        switch measure {
        case .count, .valueCount: return counts.map { .count($0) }
        case .sum: return sums.map { .sum($0) }
        case .minimum: return extremes.map { .minimum($0) }
        case .maximum: return extremes.map { .maximum($0) }
        case .first: return moments.map { .first($0) }
        case .last: return moments.map { .last($0) }
        case .distribution(_, let schema):
            typealias Bucket = ValueDistribution.Bucket
            var zeros = [Int64](repeating: 0, count: groupCount)
            var positive = [[Bucket]](repeating: [], count: groupCount)
            var negative = positive
            for (place, key) in bucketTable.keys.enumerated() {
                let group = Int(key >> 32)
                let count = bucketCounts[place]
                guard let (index, isNegative) = ExponentialBuckets.bucket(ofCode: UInt32(truncatingIfNeeded: key)) else {
                    zeros[group] = count
                    continue
                }
                if isNegative {
                    negative[group].append(Bucket(index: index, count: count))
                } else {
                    positive[group].append(Bucket(index: index, count: count))
                }
            }
            return (0..<groupCount).map {
                .distribution(ValueDistribution(schema: buckets?.schema ?? schema, zeroCount: zeros[$0], positive: positive[$0], negative: negative[$0]))
            }
        }
    }
}
