import OrielStore
import OrielTelemetry

/// Puts rows of several batches together in a given order.
struct RowGatherer {
    /// A row of the result: which part, which row of it.
    struct Pick {
        var part: UInt32
        var row: UInt32
    }

    /// Rows of parts as one batch with the columns of a projection.
    ///
    /// Complexity: one pass over the picks per column.
    static func gather(_ picks: [Pick], of parts: [ColumnBatch], signal: Signal, projection: Projection) -> ColumnBatch {
        if parts.count == 1, picks.count == parts[0].count, isIdentity(picks) {
            return trim(parts[0], to: projection)
        }
        let columns = zip(signal.columns, signal.columns.indices).map { id, position in
            projection.columns.contains(id) ? gather(picks, parts.map { $0.columns[position] }, kind: id.kind) : Column.absent
        }
        return ColumnBatch(
            signal: signal, streams: StreamTable(), streamIndexes: gather(picks, parts.map(\.streamIndexes)), times: gather(picks, parts.map(\.times)),
            ords: signal.hasOrds ? gather(picks, parts.map(\.ords)) : [], columns: columns,
            attributes: signal.hasAttributes ? gather(picks, parts.map(\.attributes), projection.attributes) : nil)
    }

    private static func isIdentity(_ picks: [Pick]) -> Bool {
        for (index, pick) in picks.enumerated() where Int(pick.row) != index { return false }
        return true
    }

    /// Drops what a projection does not ask for.
    private static func trim(_ batch: ColumnBatch, to projection: Projection) -> ColumnBatch {
        var batch = batch
        for (position, id) in batch.signal.columns.enumerated() where !projection.columns.contains(id) { batch.columns[position] = .absent }
        switch projection.attributes {
        case .none: batch.attributes = nil
        case .all: break
        case .keys(let keys):
            guard let table = batch.attributes else { break }
            let hasOthers = (0..<table.keys.count).contains { !keys.contains(table.keys.keys.string(at: $0)) }
            if hasOthers {
                let picks = (0..<batch.count).map { Pick(part: 0, row: UInt32($0)) }
                batch.attributes = gather(picks, [table], projection.attributes)
            }
        }
        return batch
    }

    private static func gather<Value>(_ picks: [Pick], _ parts: [[Value]]) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(picks.count)
        for pick in picks { values.append(parts[Int(pick.part)][Int(pick.row)]) }
        return values
    }

    private static func gather(_ picks: [Pick], _ parts: [Column], kind: ColumnKind) -> Column {
        switch kind {
        case .integer:
            contents(parts) { if case .integers(let values) = $0 { values } else { nil } }.map { .integers(gather(picks, $0)) } ?? .absent
        case .double:
            contents(parts) { if case .doubles(let values) = $0 { values } else { nil } }.map { .doubles(gather(picks, $0)) } ?? .absent
        case .identifier:
            contents(parts) { if case .identifiers(let values) = $0 { values } else { nil } }.map { .identifiers(gather(picks, $0)) } ?? .absent
        case .traceID:
            contents(parts) { if case .traceIDs(let values) = $0 { values } else { nil } }.map { .traceIDs(gather(picks, $0)) } ?? .absent
        case .bytes:
            contents(parts) { if case .bytes(let values) = $0 { values } else { nil } }.map { .bytes(gather(picks, $0)) } ?? .absent
        }
    }

    /// The arrays of all parts' columns, or `nil` when a part lacks its own.
    private static func contents<Values>(_ parts: [Column], _ content: (Column) -> Values?) -> [Values]? {
        let contents = parts.compactMap(content)
        return contents.count == parts.count ? contents : nil
    }

    private static func gather(_ picks: [Pick], _ parts: [ByteColumn]) -> ByteColumn {
        var values = ByteColumn()
        values.reserveCapacity(picks.count, bytes: 0)
        for pick in picks { values.append(Int(pick.row), of: parts[Int(pick.part)]) }
        return values
    }

    /// What became of a part's keys in the result.
    private enum KeyPlace {
        static let unknown = -1
        static let dropped = -2
    }

    private static func gather(_ picks: [Pick], _ parts: [AttributeTable?], _ projection: Projection.AttributeProjection) -> AttributeTable? {
        let wanted: Set<String>?
        switch projection {
        case .none: return nil
        case .all: wanted = nil
        case .keys(let keys): wanted = keys
        }
        var result = AttributeTable()
        // A key is looked up once per part, not once per row.
        var places: [[Int]] = parts.map { Array(repeating: KeyPlace.unknown, count: $0?.keys.count ?? 0) }
        for pick in picks {
            guard let table = parts[Int(pick.part)] else {
                result.finishRow()
                continue
            }
            for entry in table.entries(of: Int(pick.row)) {
                let key = Int(table.keyIndexes[entry])
                var place = places[Int(pick.part)][key]
                if place == KeyPlace.unknown {
                    let isWanted = wanted?.contains(table.keys.keys.string(at: key)) ?? true
                    place = isWanted ? result.intern(table.keys.keys.bytes.span.extracting(table.keys.keys.range(of: key))) : KeyPlace.dropped
                    places[Int(pick.part)][key] = place
                }
                guard place != KeyPlace.dropped else { continue }
                let type = AttributeType(rawValue: table.types[entry]) ?? .empty
                switch type {
                case .empty: result.appendEmptyValue(key: place)
                case .bool: result.append(key: place, bool: table.payloads[entry] != 0)
                case .int: result.append(key: place, int: Int64(bitPattern: table.payloads[entry]))
                case .double: result.append(key: place, double: Double(bitPattern: table.payloads[entry]))
                case .string, .bytes, .array, .map:
                    result.append(key: place, type: type, content: table.heap.span.extracting(table.heapRange(of: entry)))
                }
            }
            result.finishRow()
        }
        return result
    }
}
