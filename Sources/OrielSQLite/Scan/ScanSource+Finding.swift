import OrielStore
import OrielTelemetry

extension ScanSource {
    /// Chunks are grouped to about so many rows a source.
    private static let chunkGroupRows = 65_536

    /// The sources of a scan: the blocks that headers, streams, trace index and bounds do not rule out, and the chunks.
    ///
    /// - Parameter position: Only sources with rows behind it.
    static func find(in state: PublishedState.SignalState, behind position: RowKey?, _ context: inout ScanContext) throws(StoreError) -> [ScanSource] {
        if context.traceIDs != nil, !context.signal.columns.contains(.traceID) { return [] }
        var sources: [ScanSource] = []
        let (bounds, pinnedBounds) = (context.bounds, context.pinnedBounds)
        if !bounds.isEmpty { try find(in: state.segments + state.sealed, bounds, behind: position, &context, &sources) }
        if !pinnedBounds.isEmpty { try find(in: state.pinned.map(\.container), pinnedBounds, behind: position, &context, &sources) }
        if !bounds.isEmpty { group(state.chunks, behind: position, context, &sources) }
        return sources
    }

    private static func find(
        in containers: [any BlockContainer], _ bounds: Range<Int64>, behind position: RowKey?, _ context: inout ScanContext,
        _ sources: inout [ScanSource]
    ) throws(StoreError) {
        for container in containers {
            do throws(StoreError) {
                try find(in: container, bounds, behind: position, &context, &sources)
            } catch  where error.isDamage {
                // Noted by the container, whose tables cannot be read; the others answer.
            }
        }
    }

    private static func find(
        in container: any BlockContainer, _ bounds: Range<Int64>, behind position: RowKey?, _ context: inout ScanContext,
        _ sources: inout [ScanSource]
    ) throws(StoreError) {
        var headers = container.blocks.filter { $0.rowCount > 0 && $0.minimumTime < bounds.upperBound && $0.maximumTime >= bounds.lowerBound }
        guard !headers.isEmpty else { return }
        try context.budget.check()

        // Ordinals that pass, when the plan chooses streams.
        var ordinals: [UInt32]?
        var references: [StreamReference] = []
        if !context.filter.isTrivial || context.order == .streamThenTime {
            references = try container.streamReferences()
        }
        if !context.filter.isTrivial {
            let allowed = context.filter.ordinals(among: references)
            headers = headers.filter { header in
                let first = allowed.firstIndex(notBelow: header.firstStream)
                return first < allowed.count && allowed[first] <= header.lastStream
            }
            guard !headers.isEmpty else { return }
            ordinals = allowed
        }
        var traceRows: [Int: [Int]]?
        if let traceIDs = context.traceIDs {
            var found: [Int: [Int]] = [:]
            for (block, rows) in try container.rows(ofTraces: traceIDs) where !rows.isEmpty { found[block] = rows }
            traceRows = found
        }

        func source(_ header: BlockHeader) throws(StoreError) -> ScanSource? {
            let times = header.minimumTime...max(header.minimumTime, header.maximumTime)
            var firstStream = StreamID.minimum
            var lastStream = StreamID.maximum
            if context.order == .streamThenTime {
                firstStream = context.filter.id(of: references[Int(header.firstStream)])
                lastStream = context.filter.id(of: references[Int(header.lastStream)])
            }
            let upperBound = RowKey.upperBound(times: times, lastStream: lastStream, order: context.order)
            if let position, upperBound <= position { return nil }
            var candidates = BlockCandidates(streams: ordinals, rows: nil)
            if let traceRows {
                guard let rows = traceRows[header.index] else { return nil }
                candidates.rows = rows
            }
            if context.filtersEarly, !context.evaluator.isAlwaysTrue {
                let canPass = try context.evaluator.canPass { field throws(StoreError) -> ClosedRange<Int64>? in
                    switch field {
                    case .time: times
                    case .column(let id): try container.integerBounds(id, block: header.index)
                    default: nil
                    }
                }
                if !canPass { return nil }
            }
            return ScanSource(
                .block(container, header, candidates), in: bounds,
                lowerBound: RowKey.lowerBound(times: times, firstStream: firstStream, order: context.order), upperBound: upperBound,
                priority: header.high)
        }
        for header in headers {
            do throws(StoreError) {
                if let source = try source(header) { sources.append(source) }
            } catch  where error.isDamage {
                // Noted by the container; the other blocks answer.
            }
        }
    }

    private static func group(_ chunks: ChunkList, behind position: RowKey?, _ context: ScanContext, _ sources: inout [ScanSource]) {
        var group: [BuilderChunk] = []
        var rowCount = 0
        func finish() {
            guard let last = group.last else { return }
            let minimum = group.map(\.minimumTime).min() ?? 0
            let maximum = group.map(\.maximumTime).max() ?? 0
            let upperBound = RowKey.upperBound(times: minimum...maximum, lastStream: .maximum, order: context.order)
            if position.map({ $0 < upperBound }) ?? true {
                sources.append(
                    ScanSource(
                        .chunks(group), in: context.bounds,
                        lowerBound: RowKey.lowerBound(times: minimum...maximum, firstStream: .minimum, order: context.order),
                        upperBound: upperBound, priority: last.sequence))
            }
            group = []
            rowCount = 0
        }
        for chunk in chunks where chunk.batch.count > 0 {
            guard chunk.minimumTime < context.bounds.upperBound, chunk.maximumTime >= context.bounds.lowerBound else { continue }
            group.append(chunk)
            rowCount += chunk.batch.count
            if rowCount >= chunkGroupRows { finish() }
        }
        finish()
    }
}

extension [UInt32] {
    /// In a sorted array the index of the first element that is not below a value, or `count`.
    func firstIndex(notBelow value: UInt32) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
