import OrielCompression
import OrielTelemetry

/// Encodes sorted rows into blocks. One value serves one thread and keeps its zstd context and scratch space from block to block.
struct BlockEncoder: ~Copyable {
    /// Most attribute columns of a block; the rarest keys beyond go into the column `rest`.
    static let maximumAttributeColumns = 256

    private var pager: ColumnPager

    /// - Parameter level: zstd's: 1 for blocks that a merge will soon rewrite, 3 for those that stay.
    init(level: Int) {
        pager = ColumnPager(level: level)
    }

    /// Encodes rows `range` of `rows`.
    ///
    /// - Returns: the block, and the ordinals (as in the keys of `rows`) of its local streams.
    mutating func encode(_ rows: borrowing SortedRows, _ range: Range<Int>) throws(CompressionError) -> (block: EncodedBlock, streams: [UInt32]) {
        let signal = rows.signal
        let keys = rows.keys[range]
        let count = keys.count
        precondition(count > 0 && count <= BlockDirectory.maximumRows)
        var (runs, streams) = Self.runs(of: keys)
        var times: [Int64] = []
        times.reserveCapacity(count)
        for key in keys { times.append(key.time) }
        if signal.isMetric {
            let vectors = Self.vectors(of: times, runs: &runs)
            try pager.append(.time, integers: vectors.times.span, rowCount: vectors.times.count, cuts: vectors.cuts)
        } else {
            try pager.append(.time, integers: times.span, rowCount: count)
        }
        if signal.hasOrds {
            let ords = keys.map { Int64(bitPattern: $0.ord) }
            try pager.append(.ord, integers: ords.span, rowCount: count)
        }
        var traceIDs: [TraceID] = []
        for (position, id) in signal.columns.enumerated() {
            switch id.kind {
            case .integer: try encodeIntegers(id, rows.batches.map { $0.columns[position] }, keys)
            case .double: try encodeDoubles(id, rows.batches.map { $0.columns[position] }, keys)
            case .identifier: try encodeIdentifiers(id, rows.batches.map { $0.columns[position] }, keys)
            case .traceID: traceIDs = try encodeTraceIDs(id, rows.batches.map { $0.columns[position] }, keys)
            case .bytes: try encodeStrings(id, rows.batches, position, keys)
            }
        }
        var restKeys = ByteColumn()
        if signal.hasAttributes {
            restKeys = try AttributeEncoder.encode(rows.batches, keys, into: &pager)
        }
        let (columns, data, filters) = pager.take()
        let directory = BlockDirectory(
            signal: signal, rowCount: count, streamCount: streams.count, traceCount: traceIDs.count,
            runs: BlockRuns(runs, hasVectors: signal.isMetric), columns: columns, restKeys: restKeys)
        let block = EncodedBlock(
            directory: directory, data: data, filters: filters, traceIDs: traceIDs, minimumTime: times.min() ?? 0, maximumTime: times.max() ?? 0)
        return (block, streams)
    }

    // MARK: Runs and times

    /// The runs of rows of one slot and stream, and the streams' ordinals in ascending order.
    private static func runs(of keys: ArraySlice<SortKey>) -> ([BlockRuns.Run], [UInt32]) {
        var runs: [BlockRuns.Run] = []
        for key in keys {
            if let last = runs.last, last.slot == key.slot, last.stream == key.stream {
                runs[runs.count - 1].rowCount += 1
            } else {
                runs.append(BlockRuns.Run(slot: key.slot, stream: Int(key.stream), rowCount: 1, vector: 0))
            }
        }
        var streams = runs.map(\.stream)
        if let first = runs.first, let last = runs.last, first.slot == last.slot {
            // Within a slot they ascend as they are.
            for index in runs.indices { runs[index].stream = UInt32(index) }
            return (runs, streams)
        }
        streams = Set(streams).sorted()
        var locals: [UInt32: UInt32] = [:]
        locals.reserveCapacity(streams.count)
        for (local, ordinal) in streams.enumerated() { locals[ordinal] = UInt32(local) }
        for index in runs.indices { runs[index].stream = locals[runs[index].stream] ?? 0 }
        return (runs, streams)
    }

    /// The distinct vectors of times one after another, and where pages end: series that are scraped together share one vector.
    private static func vectors(of times: [Int64], runs: inout [BlockRuns.Run]) -> (times: [Int64], cuts: [Int]) {
        var vectors: [Int64] = []
        var ranges: [Range<Int>] = []
        var known: [UInt64: [Int]] = [:]
        var cuts: [Int] = []
        var row = 0
        for index in runs.indices {
            let length = Int(runs[index].rowCount)
            var hash = UInt64(length)
            for time in times[row..<(row + length)] { hash = (hash ^ UInt64(bitPattern: time)) &* 0x9E37_79B9_7F4A_7C15; hash ^= hash >> 29 }
            let found = known[hash]?.first { candidate in
                ranges[candidate].count == length && vectors[ranges[candidate]] == times[row..<(row + length)]
            }
            if let found {
                runs[index].vector = UInt32(found)
            } else {
                // A jump back within a group of 128 would widen the whole group, so vectors of some length begin a page.
                if let last = cuts.last ?? (vectors.isEmpty ? nil : 0), vectors.count - last >= 64 || length >= 64 { cuts.append(vectors.count) }
                runs[index].vector = UInt32(ranges.count)
                known[hash, default: []].append(ranges.count)
                ranges.append(vectors.count..<(vectors.count + length))
                vectors.append(contentsOf: times[row..<(row + length)])
            }
            row += length
        }
        return (vectors, cuts)
    }

    // MARK: Fixed columns

    /// A column of which every row has the default is left out.
    private mutating func encodeIntegers(_ id: ColumnID, _ columns: [Column], _ keys: ArraySlice<SortKey>) throws(CompressionError) {
        let sources: [[Int64]] = columns.map { if case .integers(let values) = $0 { values } else { [] } }
        var values: [Int64] = []
        values.reserveCapacity(keys.count)
        var all: Int64 = 0
        for key in keys {
            let value = sources[Int(key.source)].isEmpty ? 0 : sources[Int(key.source)][Int(key.row)]
            all |= value
            values.append(value)
        }
        if all != 0 { try pager.append(.fixed(id), integers: values.span, rowCount: values.count) }
    }

    private mutating func encodeDoubles(_ id: ColumnID, _ columns: [Column], _ keys: ArraySlice<SortKey>) throws(CompressionError) {
        let sources: [[Double]] = columns.map { if case .doubles(let values) = $0 { values } else { [] } }
        var values: [Double] = []
        values.reserveCapacity(keys.count)
        for key in keys { values.append(sources[Int(key.source)].isEmpty ? 0 : sources[Int(key.source)][Int(key.row)]) }
        try pager.append(.fixed(id), doubles: values.span, rowCount: values.count)
    }

    private mutating func encodeIdentifiers(_ id: ColumnID, _ columns: [Column], _ keys: ArraySlice<SortKey>) throws(CompressionError) {
        let sources: [[UInt64]] = columns.map { if case .identifiers(let values) = $0 { values } else { [] } }
        var values: [UInt64] = []
        var positions: [UInt32] = []
        values.reserveCapacity(keys.count)
        positions.reserveCapacity(keys.count)
        for (row, key) in keys.enumerated() where !sources[Int(key.source)].isEmpty {
            let value = sources[Int(key.source)][Int(key.row)]
            if value != 0 {
                values.append(value)
                positions.append(UInt32(row))
            }
        }
        if !values.isEmpty {
            try pager.append(.fixed(id), identifiers: values.span, positions: values.count == keys.count ? nil : positions, rowCount: keys.count)
        }
    }

    /// Trace ids become numbers in the order of the block's distinct ids, which are returned.
    private mutating func encodeTraceIDs(_ id: ColumnID, _ columns: [Column], _ keys: ArraySlice<SortKey>) throws(CompressionError) -> [TraceID] {
        let sources: [[TraceID]] = columns.map { if case .traceIDs(let values) = $0 { values } else { [] } }
        var locals: [TraceID: Int64] = [:]
        var distinct: [TraceID] = []
        var values: [Int64] = []
        var positions: [UInt32] = []
        values.reserveCapacity(keys.count)
        positions.reserveCapacity(keys.count)
        for (row, key) in keys.enumerated() where !sources[Int(key.source)].isEmpty {
            let value = sources[Int(key.source)][Int(key.row)]
            if value.isZero { continue }
            if let local = locals[value] {
                values.append(local)
            } else {
                locals[value] = Int64(distinct.count)
                values.append(Int64(distinct.count))
                distinct.append(value)
            }
            positions.append(UInt32(row))
        }
        guard !values.isEmpty else { return [] }
        let order = distinct.indices.sorted { distinct[$0] < distinct[$1] }
        var ranks = [Int64](repeating: 0, count: order.count)
        for (rank, local) in order.enumerated() { ranks[local] = Int64(rank) }
        for index in values.indices { values[index] = ranks[Int(values[index])] }
        try pager.append(.fixed(id), integers: values.span, positions: values.count == keys.count ? nil : positions, rowCount: keys.count)
        return order.map { distinct[$0] }
    }

    private mutating func encodeStrings(
        _ id: ColumnID, _ batches: [ColumnBatch], _ position: Int, _ keys: ArraySlice<SortKey>
    ) throws(CompressionError) {
        let sources: [ByteColumn] = batches.map { if case .bytes(let values) = $0.columns[position] { values } else { ByteColumn() } }
        var values = ByteColumn()
        var positions: [UInt32] = []
        positions.reserveCapacity(keys.count)
        for (row, key) in keys.enumerated() where sources[Int(key.source)].count > 0 {
            if sources[Int(key.source)].isEmpty(at: Int(key.row)) { continue }
            values.append(Int(key.row), of: sources[Int(key.source)])
            positions.append(UInt32(row))
        }
        if values.count > 0 {
            try pager.append(
                .fixed(id), strings: values, positions: values.count == keys.count ? nil : positions, rowCount: keys.count,
                filter: Self.filter(id, batches, keys))
        }
    }

    private static func filter(_ id: ColumnID, _ batches: [ColumnBatch], _ keys: ArraySlice<SortKey>) -> FilterPlan {
        switch id {
        case .name, .statusMessage, .severityText, .eventName: return .text(structured: [])
        case .body:
            // Indexes among the bodies that are not empty.
            var structured: [Int] = []
            var index = 0
            let text = Int64(AttributeType.string.rawValue)
            let types: [[Int64]] = batches.map { if case .integers(let values) = $0[.bodyType] { values } else { [] } }
            let bodies: [ByteColumn] = batches.map { if case .bytes(let values) = $0[.body] { values } else { ByteColumn() } }
            for key in keys where bodies[Int(key.source)].count > 0 && !bodies[Int(key.source)].isEmpty(at: Int(key.row)) {
                if types[Int(key.source)].isEmpty || types[Int(key.source)][Int(key.row)] != text { structured.append(index) }
                index += 1
            }
            return .text(structured: structured)
        default: return .none
        }
    }
}
