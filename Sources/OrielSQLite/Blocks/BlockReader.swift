import OrielStore
import OrielTelemetry

/// Decodes columns of one block, for all rows or for some. Pages without a wanted row are not read.
///
/// One value serves one thread, and block after block.
struct BlockReader<Storage: BlockStorage>: ~Copyable {
    let directory: BlockDirectory
    let storage: Storage
    private var decoder = PageDecoder()
    private var buffer: [UInt8] = []
    /// What stays at hand for the next read of this block; `nil` for a reader that reads once.
    private var opened: OpenedPages?

    init(_ directory: BlockDirectory, _ storage: Storage, opened: consuming OpenedPages? = nil) {
        self.directory = directory
        self.storage = storage
        self.opened = opened
    }

    /// Ends the reading, and hands over what a reader of more rows of this block can begin with.
    consuming func finish() -> OpenedPages? { opened }

    // MARK: Rows

    /// A batch with what `projection` names.
    ///
    /// - Parameters:
    ///   - streams: the container's ordinals of the local streams.
    ///   - references: what goes into `streamIndexes` for each ordinal.
    mutating func read(
        _ rows: [Int]?, projection: Projection, streams: [UInt32], references: [StreamReference]
    ) throws(StoreError) -> ColumnBatch {
        let selection = RowSelection(rows, of: directory.rowCount)
        let signal = directory.signal
        var columns: [Column] = []
        columns.reserveCapacity(signal.columns.count)
        for id in signal.columns {
            columns.append(projection.columns.contains(id) ? try column(id, selection) : .absent)
        }
        var attributes: AttributeTable?
        if signal.hasAttributes, projection.attributes != .none {
            attributes = try self.attributes(selection, projection.attributes)
        }
        return ColumnBatch(
            signal: signal, streams: StreamTable(), streamIndexes: streamIndexes(selection, streams, references), times: try times(selection),
            ords: try ords(selection), columns: columns, attributes: attributes)
    }

    private func streamIndexes(_ selection: RowSelection, _ streams: [UInt32], _ references: [StreamReference]) -> [StreamReference] {
        var indexes: [UInt32] = []
        indexes.reserveCapacity(selection.count)
        let runs = directory.runs
        guard selection.rows != nil else {
            for index in 0..<runs.count {
                let stream = references[Int(streams[Int(runs[index].stream)])]
                for _ in runs.rows(of: index) { indexes.append(stream) }
            }
            return indexes
        }
        for part in Self.parts(of: selection, runs) {
            let stream = references[Int(streams[Int(runs[part.run].stream)])]
            for _ in part.range { indexes.append(stream) }
        }
        return indexes
    }

    /// The runs that have selected rows, ascending, and which indexes of the selection these are.
    ///
    /// Complexity: O(log *d*) for each of these runs, *d* being how far it is from the one before.
    private static func parts(of selection: RowSelection, _ runs: BlockRuns) -> [(run: Int, range: Range<Int>)] {
        var parts: [(run: Int, range: Range<Int>)] = []
        var taken = 0
        var run = 0
        while taken < selection.count {
            run = runs.run(ofRow: selection.row(taken), from: run)
            let range = selection.indexes(in: runs.rows(of: run), from: taken)
            parts.append((run, range))
            taken = range.upperBound
        }
        return parts
    }

    mutating func times(_ selection: RowSelection) throws(StoreError) -> [Int64] {
        guard let position = directory.position(of: .time) else { return Array(repeating: 0, count: selection.count) }
        guard directory.signal.isMetric else { return try integers(position, selection).values }
        let runs = directory.runs
        var times: [Int64] = []
        times.reserveCapacity(selection.count)
        guard selection.rows != nil else {
            let vectors = try vectors(position, of: nil)
            for run in runs.runs { times.append(contentsOf: vectors.times[vectors.range(of: run)]) }
            return times
        }
        let parts = Self.parts(of: selection, runs)
        let vectors = try vectors(position, of: parts.map(\.run))
        for (run, range) in parts {
            let base = vectors.range(of: runs[run]).lowerBound - Int(runs.starts[run])
            for index in range { times.append(vectors.times[base + selection.row(index)]) }
        }
        return times
    }

    /// Decoded vectors of times.
    private struct Vectors {
        var times: [Int64]
        /// The decoded vectors in order, `nil` when it is all of them.
        var wanted: [UInt32]?
        /// Where each decoded vector begins in `times`.
        var starts: [UInt32]

        /// Where the times of a run lie, whose vector is among the decoded ones.
        func range(of run: BlockRuns.Run) -> Range<Int> {
            let place = wanted?.firstIndex(notBelow: run.vector) ?? Int(run.vector)
            return Int(starts[place])..<(Int(starts[place]) + Int(run.rowCount))
        }
    }

    /// Decodes the vectors of times that some runs use; all of them for `nil`.
    private mutating func vectors(_ position: Int, of chosen: [Int]?) throws(StoreError) -> Vectors {
        let runs = directory.runs
        let total = Int(runs.vectorStarts.last ?? 0)
        guard let chosen else {
            return Vectors(times: try integers(position, RowSelection(nil, of: total)).values, starts: runs.vectorStarts)
        }
        var wanted: [UInt32] = []
        for run in chosen where wanted.last != runs[run].vector { wanted.append(runs[run].vector) }
        wanted.sort()
        var distinct: [UInt32] = []
        for vector in wanted where distinct.last != vector { distinct.append(vector) }
        var starts: [UInt32] = []
        starts.reserveCapacity(distinct.count)
        var places: [Int] = []
        for vector in distinct {
            starts.append(UInt32(places.count))
            places.append(contentsOf: runs.places(ofVector: vector))
        }
        let times = try integers(position, RowSelection(places.count == total ? nil : places, of: total)).values
        return Vectors(times: times, wanted: distinct, starts: starts)
    }

    /// The rows of a metric's block that belong to some streams and lie in some times, ascending.
    ///
    /// - Parameters:
    ///   - bounds: `nil` for all times.
    ///   - streams: Their numbers in the block, ascending; `nil` for all.
    mutating func rows(in bounds: Range<Int64>?, ofStreams streams: [UInt32]?) throws(StoreError) -> [Int] {
        let runs = directory.runs
        let chosen = streams.map { runs.runs(ofStreams: $0) }
        let wanted = chosen ?? Array(0..<runs.count)
        var rows: [Int] = []
        guard let bounds, directory.signal.isMetric, !wanted.isEmpty, let position = directory.position(of: .time) else {
            for run in wanted { rows.append(contentsOf: runs.rows(of: run)) }
            return rows
        }
        let vectors = try vectors(position, of: wanted.count == runs.count ? nil : chosen)
        // Which part of each vector lies in the bounds; times ascend within a run.
        var parts = [Range<Int>?](repeating: nil, count: vectors.starts.count)
        for index in wanted {
            let run = runs[index]
            let place = vectors.wanted?.firstIndex(notBelow: run.vector) ?? Int(run.vector)
            let part: Range<Int>
            if let known = parts[place] {
                part = known
            } else {
                let vector = vectors.range(of: run)
                let first = vectors.times.firstIndex(notBelow: bounds.lowerBound, in: vector)
                let end = vectors.times.firstIndex(notBelow: bounds.upperBound, in: first..<vector.upperBound)
                part = (first - vector.lowerBound)..<(end - vector.lowerBound)
                parts[place] = part
            }
            let start = Int(runs.starts[index])
            for row in part { rows.append(start + row) }
        }
        return rows
    }

    mutating func ords(_ selection: RowSelection) throws(StoreError) -> [UInt64] {
        guard let position = directory.position(of: .ord) else { return [] }
        return try integers(position, selection).values.map { UInt64(bitPattern: $0) }
    }

    /// A fixed column, with defaults where rows have no value.
    mutating func column(_ id: ColumnID, _ selection: RowSelection) throws(StoreError) -> Column {
        guard let position = directory.position(of: .fixed(id)) else { return Column(kind: id.kind, defaults: selection.count) }
        let count = selection.count
        switch id.kind {
        case .integer: return .integers(try integers(position, selection).dense(count, default: 0))
        case .double: return .doubles(try doubles(position, selection).dense(count, default: 0))
        case .identifier: return .identifiers(try identifiers(position, selection).dense(count, default: 0))
        case .bytes:
            let strings = try strings(position, selection)
            guard let positions = strings.positions else { return .bytes(strings.values) }
            var dense = ByteColumn()
            dense.reserveCapacity(count, bytes: strings.values.bytes.count)
            var next = 0
            for index in 0..<count {
                if next < positions.count, positions[next] == UInt32(index) {
                    dense.append(next, of: strings.values)
                    next += 1
                } else {
                    dense.appendEmpty()
                }
            }
            return .bytes(dense)
        case .traceID:
            let locals = try integers(position, selection)
            let values = try traceIDs(of: locals.values, position)
            return .traceIDs(SparseValues(positions: locals.positions, values: values).dense(count, default: .zero))
        }
    }

    /// The ids that local trace numbers stand for.
    private mutating func traceIDs(of locals: [Int64], _ position: Int) throws(StoreError) -> [TraceID] {
        let count = directory.traceCount
        for local in locals where local < 0 || local >= Int64(count) {
            throw storage.damage(ColumnError(.malformed("trace number \(local) of \(count)"), at: 0), column: position)
        }
        let storage = storage
        if let ids = try opened?.traceIDs(count: count, load: { () throws(StoreError) in try storage.traceIDs(Array(0..<count)) }) {
            return locals.map { ids[Int($0)] }
        }
        if locals.count < count / 16 {
            // Few rows: a search per row is less than a table of all traces.
            let distinct = Set(locals).sorted()
            let ids = try storage.traceIDs(distinct.map { Int($0) })
            return locals.map { local in
                var low = 0
                var high = distinct.count - 1
                while low < high {
                    let middle = (low + high) / 2
                    if distinct[middle] < local { low = middle + 1 } else { high = middle }
                }
                return ids[low]
            }
        }
        var isUsed = [Bool](repeating: false, count: count)
        for local in locals { isUsed[Int(local)] = true }
        let wanted = isUsed.indices.filter { isUsed[$0] }
        var table = [TraceID](repeating: .zero, count: count)
        for (local, id) in zip(wanted, try storage.traceIDs(wanted)) { table[local] = id }
        return locals.map { table[Int($0)] }
    }

    /// The local numbers of the traces of some rows, ascending, each once.
    mutating func traceNumbers(_ rows: [Int]?) throws(StoreError) -> [Int] {
        guard let position = directory.position(of: .fixed(.traceID)) else { return [] }
        let values = try integers(position, RowSelection(rows, of: directory.rowCount)).values
        let count = Int64(directory.traceCount)
        if values.count < directory.traceCount / 16 {
            let distinct = Set(values).sorted()
            if let wrong = distinct.first(where: { $0 < 0 || $0 >= count }) {
                throw storage.damage(ColumnError(.malformed("trace number \(wrong) of \(count)"), at: 0), column: position)
            }
            return distinct.map { Int($0) }
        }
        var isUsed = [Bool](repeating: false, count: directory.traceCount)
        for value in values {
            guard value >= 0, value < count else {
                throw storage.damage(ColumnError(.malformed("trace number \(value) of \(count)"), at: 0), column: position)
            }
            isUsed[Int(value)] = true
        }
        return isUsed.indices.filter { isUsed[$0] }
    }

    /// Widens the times of traces by all spans of the block.
    ///
    /// - Parameter ordinals: by local number, where in `times` a trace is.
    mutating func addTraceTimes(_ ordinals: [UInt32], to times: inout TraceTimes) throws(StoreError) {
        guard let position = directory.position(of: .fixed(.traceID)) else { return }
        let selection = RowSelection(nil, of: directory.rowCount)
        let traces = try integers(position, selection)
        let starts = try self.times(selection)
        guard case .integers(let durations) = try column(.duration, selection) else { return }
        for (index, local) in traces.values.enumerated() {
            guard local >= 0, local < Int64(ordinals.count) else {
                throw storage.damage(ColumnError(.malformed("trace number \(local) of \(ordinals.count)"), at: 0), column: position)
            }
            let row = traces.positions.map { Int($0[index]) } ?? index
            times.add(starts[row], starts[row].addingSaturating(durations[row]), to: Int(ordinals[Int(local)]))
        }
    }

    // MARK: Columns

    /// The values of a column of integers, or the codes of a dictionary.
    mutating func integers(_ position: Int, _ selection: RowSelection) throws(StoreError) -> SparseValues<Int64> {
        var scratch: [Int64] = []
        return try sparse(position, selection) { (decoder, rows, output) throws(ColumnError) in
            guard let rows else { return try decoder.appendIntegers(to: &output) }
            scratch.removeAll(keepingCapacity: true)
            let span = (rows.last ?? 0) / BitPacking.groupSize - (rows.first ?? 0) / BitPacking.groupSize + 1
            if decoder.hasSeparateGroups, rows.count * 8 < decoder.groupCount * BitPacking.groupSize || span * 2 < decoder.groupCount {
                // Few of many, or some that lie together: only the groups of 128 that hold them.
                var group = -1
                for index in rows {
                    if index / BitPacking.groupSize != group {
                        group = index / BitPacking.groupSize
                        scratch.removeAll(keepingCapacity: true)
                        try decoder.appendIntegers(group: group, to: &scratch)
                    }
                    output.append(scratch[index % BitPacking.groupSize])
                }
            } else {
                try decoder.appendIntegers(to: &scratch)
                for index in rows { output.append(scratch[index]) }
            }
        }
    }

    mutating func doubles(_ position: Int, _ selection: RowSelection) throws(StoreError) -> SparseValues<Double> {
        try sparse(position, selection) { (decoder, rows, output) throws(ColumnError) in
            if let rows { try decoder.appendDoubles(rows, to: &output) } else { try decoder.appendDoubles(to: &output) }
        }
    }

    mutating func identifiers(_ position: Int, _ selection: RowSelection) throws(StoreError) -> SparseValues<UInt64> {
        var scratch: [UInt64] = []
        return try sparse(position, selection) { (decoder, rows, output) throws(ColumnError) in
            guard let rows else { return try decoder.appendIdentifiers(to: &output) }
            scratch.removeAll(keepingCapacity: true)
            try decoder.appendIdentifiers(to: &scratch)
            for index in rows { output.append(scratch[index]) }
        }
    }

    /// The strings of a column of bytes or of a dictionary.
    mutating func strings(_ position: Int, _ selection: RowSelection) throws(StoreError) -> (positions: [UInt32]?, values: ByteColumn) {
        if directory.columns[position].form == .dictionary {
            let dictionary = try dictionary(position)
            let codes = try integers(position, selection)
            var values = ByteColumn()
            values.reserveCapacity(codes.values.count, bytes: codes.values.count * (dictionary.bytes.count / max(dictionary.count, 1)))
            let bytes = dictionary.bytes.span
            for code in codes.values {
                guard code >= 0, code < Int64(dictionary.count) else {
                    throw storage.damage(ColumnError(.malformed("code \(code) of a dictionary of \(dictionary.count)"), at: 0), column: position)
                }
                values.append(bytes.extracting(dictionary.range(of: Int(code))))
            }
            return (codes.positions, values)
        }
        var bytes: [UInt8] = []
        var pageBytes: [UInt8] = []
        var pageEnds: [UInt32] = []
        let ends: SparseValues<UInt32> = try sparse(position, selection) { (decoder, rows, output) throws(ColumnError) in
            guard let rows else { return try decoder.appendBytes(to: &bytes, ends: &output) }
            pageBytes.removeAll(keepingCapacity: true)
            pageEnds.removeAll(keepingCapacity: true)
            try decoder.appendBytes(to: &pageBytes, ends: &pageEnds)
            for index in rows {
                bytes.append(pageBytes.span, Int(index == 0 ? 0 : pageEnds[index - 1])..<Int(pageEnds[index]))
                guard bytes.count <= Int(UInt32.max) else { throw ColumnError(.count(found: UInt64(bytes.count), limit: UInt64(UInt32.max)), at: 0) }
                output.append(UInt32(bytes.count))
            }
        }
        guard let values = ByteColumn(bytes: bytes, ends: ends.values) else {
            throw storage.damage(ColumnError(.malformed("lengths and bytes do not fit"), at: 0), column: position)
        }
        return (ends.positions, values)
    }

    /// The distinct values of a dictionary column, sorted.
    mutating func dictionary(_ position: Int) throws(StoreError) -> ByteColumn {
        if let known = opened?.dictionary(position) { return known }
        try load(position, 0..<directory.columns[position].dictionaryByteCount)
        // The span borrows a second reference to the array, so that the decoder stays free to change.
        let page = buffer
        do {
            try decoder.open(page.span)
            let dictionary = try decoder.dictionary()
            opened?.keep(dictionary, position)
            return dictionary
        } catch {
            throw storage.damage(error, column: position)
        }
    }

    /// Runs `body` on each page with wanted rows: with `nil` when all its values are wanted, else with the indexes of those that are.
    private mutating func sparse<Value>(
        _ position: Int, _ selection: RowSelection, _ body: (inout PageDecoder, [Int]?, inout [Value]) throws(ColumnError) -> Void
    ) throws(StoreError) -> SparseValues<Value> {
        var result = SparseValues<Value>()
        result.values.reserveCapacity(selection.count)
        var taken = 0
        for page in directory.columns[position].pages {
            let range = page.firstRow..<(page.firstRow + page.rowCount)
            let indexes = selection.indexes(in: range, from: taken)
            defer { taken = indexes.upperBound }
            if indexes.isEmpty { continue }
            if page.valueCount == 0 {
                if result.positions == nil { result.positions = (0..<UInt32(taken)).map { $0 } }
                continue
            }
            let isOpen = opened?.open(position, page: page.firstRow, &decoder) ?? false
            var isSound = isOpen
            defer { opened?.close(position, page: isSound ? page.firstRow : nil, &decoder) }
            if !isOpen { try load(position, page.offset..<(page.offset + page.byteCount)) }
            let bytes = buffer
            do throws(ColumnError) {
                if !isOpen {
                    try decoder.open(bytes.span)
                    guard decoder.rowCount == page.rowCount, decoder.valueCount == page.valueCount else {
                        throw ColumnError(.malformed("the page has \(decoder.rowCount) rows, the directory says \(page.rowCount)"), at: 0)
                    }
                    isSound = true
                }
                let isWhole = selection.rows == nil || indexes.count == page.rowCount
                if isWhole, decoder.bitmap.isEmpty {
                    result.positions?.append(contentsOf: UInt32(indexes.lowerBound)..<UInt32(indexes.upperBound))
                    try body(&decoder, nil, &result.values)
                    continue
                }
                if result.positions == nil { result.positions = (0..<UInt32(taken)).map { $0 } }
                var rank = PresenceRank(decoder.bitmap)
                var wanted: [Int] = []
                for index in indexes {
                    guard let value = rank.index(of: selection.row(index) - page.firstRow) else { continue }
                    wanted.append(value)
                    result.positions?.append(UInt32(index))
                }
                try body(&decoder, isWhole ? nil : wanted, &result.values)
            } catch {
                throw storage.damage(error, column: position)
            }
        }
        if result.positions?.count == selection.count { result.positions = nil }
        return result
    }

    private mutating func load(_ position: Int, _ range: Range<Int>) throws(StoreError) {
        if let inline = directory.columns[position].inline {
            buffer.removeAll(keepingCapacity: true)
            buffer.append(inline.span, range)
        } else {
            try storage.read(column: position, range, into: &buffer)
        }
    }
}

extension [Int64] {
    /// In a sorted part of an array the index of the first element that is not below a value, or the part's end.
    fileprivate func firstIndex(notBelow value: Int64, in part: Range<Int>) -> Int {
        var low = part.lowerBound
        var high = part.upperBound
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension SparseValues {
    /// One value per row of the selection.
    consuming func dense(_ count: Int, default missing: Value) -> [Value] {
        guard let positions else { return values }
        var dense = [Value](repeating: missing, count: count)
        for (index, position) in positions.enumerated() { dense[Int(position)] = values[index] }
        return dense
    }
}
