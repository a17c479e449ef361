import OrielStore
import OrielTelemetry

extension Segment {
    func canPass(
        block: Int, _ evaluator: inout PredicateEvaluator, descriptor: (UInt32) -> StreamDescriptor?
    ) throws(StoreError) -> Bool {
        var columns = try columns(block)
        return try evaluator.canPass(&columns, descriptor: descriptor)
    }

    func rows(
        ofBlock block: Int, _ rows: [Int]?, passing evaluator: inout PredicateEvaluator, descriptor: (UInt32) -> StreamDescriptor?
    ) throws(StoreError) -> [Int] {
        var columns = try columns(block)
        return try evaluator.rows(rows, in: &columns, descriptor: descriptor)
    }

    private func columns(_ index: Int) throws(StoreError) -> BlockColumns<SegmentBlock> {
        let references = try streamReferences()
        let (directory, binding) = try block(index)
        return BlockColumns(
            directory, SegmentBlock(segment: self, block: index, binding: binding), streams: binding.streams.map { references[Int($0)] })
    }

    /// A filter of a block's column, or `nil` when it has none of this kind.
    func filter(_ kind: BlockFilter.Kind, block index: Int, column: Int) throws(StoreError) -> BlockFilter? {
        let entry = try block(index).directory.columns[column]
        guard let range = entry.filterRange(kind) else { return nil }
        let part = SegmentCache.Part.filter(block: index, column: column, kind)
        if case .filter(let filter)? = cache.content(part, of: number) { return filter }
        var bytes: [UInt8] = []
        if let inline = entry.inlineFilters {
            bytes = Array(inline[range])
        } else {
            try readBlob(.filters(block: index, column: column), range, into: &bytes)
        }
        do {
            let filter = try BlockFilter(encoded: bytes)
            if entry.inlineFilters == nil { cache.insert(.filter(filter), part, of: number) }
            return filter
        } catch {
            throw damage(error, "block \(index), filters of column \(column)", block: index)
        }
    }

    /// Reads and checks all filters of a column.
    func verify(filtersOf column: Int, _ entry: BlockColumn, block: Int) throws(StoreError) {
        guard !entry.filters.isEmpty else { return }
        var bytes: [UInt8] = []
        if let inline = entry.inlineFilters { bytes = inline } else { try readBlob(.filters(block: block, column: column), into: &bytes) }
        do {
            try entry.check(filters: bytes.span)
        } catch {
            throw damage(error, "block \(block), filters of column \(column)", block: block)
        }
    }
}
