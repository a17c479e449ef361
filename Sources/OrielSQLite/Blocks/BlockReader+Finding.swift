import OrielStore
import OrielTelemetry

extension BlockReader {
    /// The rows of a block of spans, log records or exemplars whose times lie in some bounds, ascending. Only pages that lie partly inside are read.
    mutating func rows(inTimes bounds: Range<Int64>) throws(StoreError) -> [Int] {
        guard let position = directory.position(of: .time) else { return bounds.contains(0) ? Array(0..<directory.rowCount) : [] }
        var rows: [Int] = []
        for page in directory.columns[position].pages {
            let range = page.firstRow..<(page.firstRow + page.rowCount)
            if page.valueCount == page.rowCount {
                if page.maximum < bounds.lowerBound || page.minimum >= bounds.upperBound { continue }
                if bounds.contains(page.minimum), bounds.contains(page.maximum) {
                    rows.append(contentsOf: range)
                    continue
                }
            }
            let times = try integers(position, RowSelection(Array(range), of: directory.rowCount)).dense(range.count, default: 0)
            for (index, time) in times.enumerated() where bounds.contains(time) { rows.append(range.lowerBound + index) }
        }
        return rows
    }

    /// Rows whose trace is one of some local numbers, ascending.
    mutating func rows(ofTraces locals: Set<Int64>) throws(StoreError) -> [Int] {
        var isWanted = [Bool](repeating: false, count: directory.traceCount)
        for local in locals where local >= 0 && local < Int64(isWanted.count) { isWanted[Int(local)] = true }
        return try rows(ofTraces: isWanted)
    }

    /// Rows whose trace is wanted, ascending.
    ///
    /// - Parameter isWanted: by local number: looked at once a row, where a set would hash.
    mutating func rows(ofTraces isWanted: [Bool]) throws(StoreError) -> [Int] {
        guard let position = directory.position(of: .fixed(.traceID)) else { return [] }
        let traces = try integers(position, RowSelection(nil, of: directory.rowCount))
        var rows: [Int] = []
        for (index, local) in traces.values.enumerated() {
            guard local >= 0, local < Int64(isWanted.count) else {
                throw storage.damage(ColumnError(.malformed("trace number \(local) of \(isWanted.count)"), at: 0), column: position)
            }
            guard isWanted[Int(local)] else { continue }
            rows.append(traces.positions.map { Int($0[index]) } ?? index)
        }
        return rows
    }

    /// The rows of the traces that are among some of the container's; `nil` when most of the block's are, so that looking for them is of no use.
    mutating func rows(amongTraces traces: OrdinalSet, _ binding: BlockBinding) throws(StoreError) -> [Int]? {
        if traces.isEmpty { return [] }
        var count = 0
        var isWanted = [Bool](repeating: false, count: binding.traces.count)
        for (local, ordinal) in binding.traces.enumerated() where traces.contains(ordinal) {
            isWanted[local] = true
            count += 1
        }
        if count == 0 { return [] }
        return count > binding.traces.count / 4 ? nil : try rows(ofTraces: isWanted)
    }
}
