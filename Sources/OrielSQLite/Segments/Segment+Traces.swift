import OrielStore
import OrielTelemetry

extension Segment {
    // MARK: Finding traces

    /// The pages on which some ids would be, each with the range of these ids.
    private func pages(of ids: [TraceID]) throws(StoreError) -> [(page: Int, ids: Range<Int>)] {
        guard header.traceCount > 0, let last = ids.last else { return [] }
        let fences = try traceFences()
        var pages: [(page: Int, ids: Range<Int>)] = []
        var start = 0
        var above = 0
        while start < ids.count {
            // Behind the page whose first id is the last one not above the wanted id.
            var high = fences.count
            while above < high {
                let middle = (above + high) / 2
                if fences[middle] <= ids[start] { above = middle + 1 } else { high = middle }
            }
            var end = ids.count
            if above < fences.count, fences[above] <= last {
                end = start + 1
                while ids[end] < fences[above] { end += 1 }
            }
            if above > 0 { pages.append((above - 1, start..<end)) }
            start = end
        }
        return pages
    }

    func rows(ofTraces ids: [TraceID]) throws(StoreError) -> [(block: Int, rows: [Int])] {
        // By block the traces that are in it.
        var wanted: [Int: [UInt32]] = [:]
        for (page, range) in try pages(of: ids) {
            do throws(StoreError) {
                let ordinals = TraceOrdinals.present(Array(ids[range]), among: try traceIDs(page: page))
                guard let last = ordinals.last else { continue }
                let lists = try traceBlocks(page: page)
                guard lists.ends.count > Int(last) + 1 else { throw damage("page \(page) of the traces' blocks is short") }
                for ordinal in ordinals {
                    for block in lists.blocks[lists.ends[Int(ordinal)]..<lists.ends[Int(ordinal) + 1]] {
                        wanted[block, default: []].append(UInt32(page * SegmentFormat.idsPerPage) + ordinal)
                    }
                }
            } catch  where error.isDamage {
                // Noted; the traces of other pages are found.
            }
        }
        var found: [(block: Int, rows: [Int])] = []
        for (index, ordinals) in wanted.sorted(by: { $0.key < $1.key }) {
            do throws(StoreError) {
                let (directory, binding) = try block(index)
                let locals = binding.locals(ofTraces: ordinals)
                var reader = BlockReader(directory, SegmentBlock(segment: self, block: index, binding: binding))
                found.append((index, try reader.rows(ofTraces: locals)))
            } catch  where error.isDamage {
                // Noted; the rows in other blocks are found.
            }
        }
        return found
    }

    /// Damaged pages have no traces.
    func findTraces(_ ids: [TraceID], _ body: (Int, UInt32) -> Void) throws(StoreError) {
        for (page, range) in try pages(of: ids) {
            do throws(StoreError) {
                TraceOrdinals.findCommon(ids, range, try traceIDs(page: page)) { index, ordinal in
                    body(index, UInt32(page * SegmentFormat.idsPerPage + ordinal))
                }
            } catch  where error.isDamage {
                // Noted; the traces of other pages are found.
            }
        }
    }

    var traceIDPageCount: Int { header.tracePageCount }

    func traceOrdinals(ofBlock block: Int, rows: [Int]?) throws(StoreError) -> [UInt32] {
        let (directory, binding) = try self.block(block)
        var reader = BlockReader(directory, SegmentBlock(segment: self, block: block, binding: binding))
        return try reader.traceNumbers(rows).map { binding.traces[$0] }
    }

    func traceIDs(_ ordinals: [UInt32]) throws(StoreError) -> [TraceID] {
        var ids = [TraceID](repeating: .zero, count: ordinals.count)
        for (page, indexes) in byPage(ordinals) {
            let pageIDs = try traceIDs(page: page)
            for index in indexes { ids[index] = pageIDs[Int(ordinals[index]) % SegmentFormat.idsPerPage] }
        }
        return ids
    }

    private func byPage(_ ordinals: [UInt32]) -> [Int: [Int]] {
        Dictionary(grouping: ordinals.indices) { Int(ordinals[$0]) / SegmentFormat.idsPerPage }
    }

    // MARK: Summaries

    /// - Returns: `nil` when the file is damaged too: then not all rows can be read that the times come from.
    func traceTimes() throws(StoreError) -> TraceTimes? {
        guard header.hasTraceTimes, damageReport?.contains(path: path) != true else { return nil }
        if case .traceTimes(let times)? = cache.content(.traceTimes, of: number) { return times }
        var times = TraceTimes()
        times.starts.reserveCapacity(header.traceCount)
        times.ends.reserveCapacity(header.traceCount)
        var decoder = PageDecoder()
        for page in 0..<header.tracePageCount { try appendTimes(page, &decoder, to: &times) }
        cache.insert(.traceTimes(times), .traceTimes, of: number)
        return times
    }

    private func appendTimes(_ page: Int, _ decoder: inout PageDecoder, to times: inout TraceTimes) throws(StoreError) {
        var buffer: [UInt8] = []
        try readBlob(.head(.traceTimes, page), into: &buffer)
        let count = min(SegmentFormat.idsPerPage, header.traceCount - page * SegmentFormat.idsPerPage)
        do throws(ColumnError) {
            try TraceTimesCoding.decode(buffer.span, count: count, &decoder, into: &times)
        } catch {
            throw damage(error, "page \(page) of the traces' times")
        }
    }

    func traceSummaries(_ ordinals: [UInt32]) throws(StoreError) -> [TraceSummary]? {
        guard header.hasSummaries, damageReport?.contains(path: path) != true else { return nil }
        var summaries = [TraceSummary](repeating: TraceSummary(traceID: .zero), count: ordinals.count)
        var decoder = PageDecoder()
        for (page, indexes) in byPage(ordinals) {
            let found = try self.summaries(page, indexes.map { Int(ordinals[$0]) % SegmentFormat.idsPerPage }, &decoder)
            for (index, summary) in zip(indexes, found) { summaries[index] = summary }
        }
        return summaries
    }

    /// The summaries of all traces, in the order of their ids; `nil` when there are none (level 0).
    func traceSummaries() throws(StoreError) -> [TraceSummary]? {
        guard header.hasSummaries else { return nil }
        var summaries: [TraceSummary] = []
        var decoder = PageDecoder()
        for page in 0..<header.tracePageCount {
            summaries += try self.summaries(page, 0..<min(SegmentFormat.idsPerPage, header.traceCount - page * SegmentFormat.idsPerPage), &decoder)
        }
        return summaries
    }

    private func summaries(_ page: Int, _ wanted: some Sequence<Int>, _ decoder: inout PageDecoder) throws(StoreError) -> [TraceSummary] {
        let ids = try traceIDs(page: page)
        var times = TraceTimes()
        try appendTimes(page, &decoder, to: &times)
        var buffer: [UInt8] = []
        try readBlob(.head(.summaries, page), into: &buffer)
        do throws(ColumnError) {
            return try SummaryCoding.decode(buffer.span, ids: ids, times: times, wanted, &decoder)
        } catch {
            throw damage(error, "page \(page) of the summaries")
        }
    }
}
