import OrielTelemetry

extension ColumnBatch {
    /// Some rows of this batch, in the given order. The stream table stays; indexes into it do as well.
    func selecting(_ rows: [Int]) -> ColumnBatch {
        ColumnBatch(
            signal: signal, streams: streams, streamIndexes: rows.map { streamIndexes[$0] }, times: rows.map { times[$0] },
            ords: ords.isEmpty ? [] : rows.map { ords[$0] }, columns: columns.map { $0.selecting(rows) },
            attributes: attributes.map { table in
                var selected = AttributeTable()
                for row in rows {
                    selected.appendRow(row, of: table)
                }
                return selected
            })
    }
}

extension Column {
    fileprivate func selecting(_ rows: [Int]) -> Column {
        switch self {
        case .absent: return .absent
        case .integers(let values): return .integers(rows.map { values[$0] })
        case .doubles(let values): return .doubles(rows.map { values[$0] })
        case .identifiers(let values): return .identifiers(rows.map { values[$0] })
        case .traceIDs(let values): return .traceIDs(rows.map { values[$0] })
        case .bytes(let values):
            var selected = ByteColumn()
            for row in rows {
                selected.append(row, of: values)
            }
            return .bytes(selected)
        }
    }
}
