public import OrielTelemetry

/// Adds up rows, batch by batch and column by column: what an engine runs over the rows that a plan selects.
///
/// Each key gives a row a code, codes are combined pair by pair to the number of the row's group, and each measure is one pass over a column.
public struct Aggregator: Sendable {
    /// A stream's id and canonical descriptor, which ``add(_:of:stream:)`` asks for once per stream.
    public struct Stream {
        public var id: StreamID
        public var descriptor: [UInt8]

        public init(id: StreamID, descriptor: [UInt8]) {
            self.id = id
            self.descriptor = descriptor
        }
    }

    public let signal: Signal
    public let aggregation: Aggregation
    /// What a batch must hold.
    public let requiredProjection: Projection
    var streams: AggregatedStreams
    private var dimensions: [GroupDimension]
    private var buckets: BucketDimension?
    /// Of the second and each further dimension: its codes with the group that the dimensions before give.
    private var combinations: [IntegerTable]
    private var accumulators: [MeasureAccumulator]
    private var groupCount = 0
    /// By row: the stream among those met, its group, and the codes of a dimension.
    private var locals: [UInt32] = []
    private var groups: [UInt32] = []
    private var codes: [UInt32] = []

    /// Throws for an aggregation that makes no sense.
    public init(_ aggregation: Aggregation, signal: Signal) throws(StoreError) {
        try aggregation.validate()
        self.aggregation = aggregation
        self.signal = signal
        requiredProjection = aggregation.requiredProjection
        dimensions = aggregation.keys.map { GroupDimension($0) }
        buckets = aggregation.timeBuckets.map { BucketDimension($0, unit: signal) }
        combinations = Array(repeating: IntegerTable(), count: max(0, aggregation.keys.count + (aggregation.timeBuckets == nil ? 0 : 1) - 1))
        accumulators = aggregation.measures.map { MeasureAccumulator($0) }
        streams = AggregatedStreams(aggregation)
    }

    /// Bytes that groups take, roughly.
    public var approximateByteCount: Int {
        var size = streams.byteCount + (buckets?.byteCount ?? 0)
        for dimension in dimensions { size += dimension.byteCount }
        for table in combinations { size += table.byteCount }
        for accumulator in accumulators { size += accumulator.byteCount }
        return size
    }

    /// Adds rows of a batch, which holds at least ``requiredProjection``.
    ///
    /// - Parameters:
    ///   - rows: Ascending; `nil` for all.
    ///   - stream: The stream of an element of `streamIndexes`, which must always mean the same one.
    public mutating func add(_ rows: [Int]?, of batch: ColumnBatch, stream: (UInt32) -> Stream) throws(StoreError) {
        let selection = AggregatedRows(rows, of: batch)
        guard selection.count > 0 else { return }
        if streams.areNeeded { findStreams(selection, batch, stream) }
        groupCount = max(groupCount, 1)
        if dimensions.isEmpty, buckets == nil {
            groups.removeAll(keepingCapacity: true)
            groups.append(contentsOf: repeatElement(0, count: selection.count))
        }
        for position in dimensions.indices {
            dimensions[position].fill(&codes, selection, batch, locals)
            combine(position, codeCount: dimensions[position].count)
        }
        if buckets != nil {
            buckets?.fill(&codes, selection, batch.times)
            combine(dimensions.count, codeCount: buckets?.count ?? 0)
        }
        try checkLimit()
        // Measures of one field usually stand together and share its numbers.
        var numbers: (field: Field?, column: NumberColumn) = (nil, .none)
        for index in accumulators.indices {
            if let field = accumulators[index].measure.field, field != numbers.field {
                numbers = (field, NumberColumn(field, selection, batch, locals, streams))
            }
            accumulators[index].add(numbers.column, selection, batch, groups, groupCount, locals, streams.ids)
        }
    }

    /// Turns codes of a dimension into groups together with those before it.
    private mutating func combine(_ position: Int, codeCount: Int) {
        if position == 0 {
            swap(&groups, &codes)
            groupCount = codeCount
            return
        }
        var last: (pair: UInt64, group: UInt32)?
        for index in groups.indices {
            let pair = UInt64(groups[index]) << 32 | UInt64(codes[index])
            if let last, last.pair == pair {
                groups[index] = last.group
            } else {
                let group = combinations[position - 1].intern(pair)
                groups[index] = group
                last = (pair, group)
            }
        }
        groupCount = combinations[position - 1].count
    }

    private func checkLimit() throws(StoreError) {
        if groupCount > aggregation.groupLimit { throw .tooManyGroups(limit: aggregation.groupLimit) }
    }

    private mutating func findStreams(_ rows: AggregatedRows, _ batch: ColumnBatch, _ stream: (UInt32) -> Stream) {
        locals.removeAll(keepingCapacity: true)
        locals.reserveCapacity(rows.count)
        let indexes = batch.streamIndexes
        var last: (index: UInt32, local: UInt32)?
        rows.forEach { row in
            let index = indexes[row]
            if let last, last.index == index {
                locals.append(last.local)
                return
            }
            let local = local(of: index, stream)
            locals.append(local)
            last = (index, local)
        }
    }

    private mutating func local(of index: UInt32, _ stream: (UInt32) -> Stream) -> UInt32 {
        let (local, isNew) = streams.local(of: index)
        if isNew {
            let stream = stream(index)
            let descriptor = streams.add(stream)
            for position in dimensions.indices { dimensions[position].add(stream.id, descriptor) }
        }
        return local
    }

    // MARK: Rows that are only counted

    /// Whether rows need not be decoded: all that counts of them is how many there are of a stream, in a time bucket.
    public var countsOnlyByStream: Bool {
        aggregation.measures.allSatisfy { $0 == .count } && dimensions.allSatisfy { $0.isDecidedByStream(signal) }
    }

    /// Whether even their streams make no difference.
    public var hasNoKeys: Bool { dimensions.isEmpty }

    /// Whether rows of a span of time, in the signal's unit, lie in one bucket.
    public func isOneBucket(_ times: ClosedRange<Int64>) -> Bool {
        buckets.map { $0.isOneBucket(times) } ?? true
    }

    /// Counts rows of one stream and time bucket without looking at them, where ``countsOnlyByStream`` holds.
    ///
    /// - Parameters:
    ///   - index: Their stream; anything when there are no keys.
    ///   - time: The time of any of them, in the signal's unit.
    public mutating func add(count: Int, ofStream index: UInt32, at time: Int64, stream: (UInt32) -> Stream) throws(StoreError) {
        guard count > 0 else { return }
        groups.removeAll(keepingCapacity: true)
        groups.append(0)
        groupCount = max(groupCount, 1)
        if !dimensions.isEmpty {
            let local = Int(local(of: index, stream))
            for position in dimensions.indices {
                codes.removeAll(keepingCapacity: true)
                codes.append(dimensions[position].code(ofStream: local))
                combine(position, codeCount: dimensions[position].count)
            }
        }
        if let code = buckets?.code(of: time) {
            codes.removeAll(keepingCapacity: true)
            codes.append(code)
            combine(dimensions.count, codeCount: buckets?.count ?? 0)
        }
        try checkLimit()
        for position in accumulators.indices { accumulators[position].add(count: Int64(count), group: Int(groups[0]), groupCount) }
    }

    // MARK: The result

    /// What was added so far.
    public func table() throws(StoreError) -> AggregateTable {
        var table = AggregateTable(aggregation, signal: signal)
        let measures = accumulators.map { $0.partialMeasures(groupCount) }
        let dimensionCount = dimensions.count + (buckets == nil ? 0 : 1)
        var codes = Array(repeating: 0, count: dimensionCount)
        var key: [UInt8] = []
        for group in 0..<groupCount {
            // From the last dimension back: each pair holds a code and the group that the dimensions before gave.
            var number = group
            for position in (0..<dimensionCount).reversed() {
                if position == 0 {
                    codes[0] = number
                } else {
                    let pair = combinations[position - 1].keys[number]
                    codes[position] = Int(pair & 0xFFFF_FFFF)
                    number = Int(pair >> 32)
                }
            }
            key.removeAll(keepingCapacity: true)
            if let buckets { key.append(word: UInt64(bitPattern: buckets.start(ofCode: codes[dimensions.count]))) }
            for (position, dimension) in dimensions.enumerated() { AggregateTable.append(dimension.value(ofCode: codes[position]), to: &key) }
            let values = measures.map { $0[group] }
            try table.add(encodedKey: key.span, values[...])
        }
        for (id, descriptor) in streams.keyDescriptors { table.note(id, descriptor: descriptor) }
        return table
    }
}

/// Some rows of a batch.
struct AggregatedRows {
    let rows: [Int]?
    let count: Int

    init(_ rows: [Int]?, of batch: ColumnBatch) {
        self.rows = rows?.count == batch.count ? nil : rows
        count = rows?.count ?? batch.count
    }

    @inline(__always)
    func forEach(_ body: (Int) -> Void) {
        if let rows {
            for row in rows { body(row) }
        } else {
            for row in 0..<count { body(row) }
        }
    }
}
