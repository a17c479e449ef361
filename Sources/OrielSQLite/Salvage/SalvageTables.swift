import OrielStore
import OrielTelemetry

/// The tables of a damaged segment file as far as they read: its header, list of blocks, streams and trace ids, each page for itself.
///
/// None of them is needed: what one does not say is found out from the others or from the rows.
struct SalvageTables {
    /// `nil` when it does not read.
    private(set) var header: SegmentHeader?
    /// By block; `nil` when the list does not read.
    private(set) var headers: [BlockHeader]?
    private(set) var blockCount = 0
    /// The streams by their ordinals in the file; `nil` for one whose page does not read.
    private(set) var streams: [StreamReference?] = []
    /// Whether there is no other stream in the file.
    private(set) var hasAllStreams = true
    /// The trace ids by page; `nil` for one that does not read.
    private(set) var tracePages: [[TraceID]?] = []
    /// The damaged tables that cost nothing, since they are made anew.
    private(set) var remade: [String] = []
    /// Why streams are lost.
    private(set) var streamDamage: String?
    /// Why trace ids are lost.
    private(set) var traceDamage: String?

    init(_ file: SalvageFile, secret: StreamSecret, state: PublishedState) throws(StoreError) {
        try readHeader(file)
        try readBlocks(file)
        try readStreams(file, secret, state)
        try readTraces(file)
        try checkRemade(file)
    }

    // MARK: Blocks

    private mutating func readHeader(_ file: SalvageFile) throws(StoreError) {
        do throws(StoreError) {
            let bytes = try file.read(.head(.header, 0))
            let found = try file.decoding { () throws(ColumnError) in try SegmentHeader(encoded: bytes.span) }
            guard found.description == file.description else {
                throw .unusable(
                    path: file.path, reason: "the file describes itself as \(found.description), the manifest as \(file.description); it is another one")
            }
            // Each of these takes some bytes, so that no list can be longer than the file has room for.
            let size = found.description.byteCount
            guard found.blockCount <= size / 32, found.streamCount <= size / 16, found.traceCount <= size / 16, found.streamPageCount <= found.streamCount
            else { throw file.damage("the header counts more than the file can hold") }
            header = found
        } catch {
            guard error.isDamage else { throw error }
            remade.append("the header")
        }
    }

    private mutating func readBlocks(_ file: SalvageFile) throws(StoreError) {
        do throws(StoreError) {
            let bytes = try file.read(.head(.blockHeaders, 0))
            let count = header?.blockCount
            // A block takes some bytes, so that no list can be longer than the file has room for.
            let limit = file.description.byteCount / 32
            headers = try file.decoding { () throws(ColumnError) in try BlockHeaderList.decode(bytes.span, count: count, limit: limit) }
            blockCount = headers?.count ?? 0
        } catch {
            guard error.isDamage else { throw error }
            remade.append("the list of blocks")
            if let header { blockCount = header.blockCount } else { blockCount = try file.blockCount() }
        }
    }

    // MARK: Streams

    /// What reads of one page of streams.
    private struct StreamPage {
        var ids: [StreamID]?
        var descriptors: ByteColumn?

        /// How many streams it has; `nil` when that does not read.
        var count: Int? { ids?.count ?? descriptors?.count }
    }

    private mutating func readStreams(_ file: SalvageFile, _ secret: StreamSecret, _ state: PublishedState) throws(StoreError) {
        var pages: [StreamPage] = []
        let pageCount = if let header { header.streamPageCount } else { try file.pageCount(.streams) }
        for page in 0..<pageCount { pages.append(try streamPage(page, file)) }
        // An ordinal is known as long as all pages before it, or all behind it, say how many streams they have.
        let readable = pages.prefix { $0.count != nil }.count
        for page in pages.prefix(readable) { streams += try references(page, file, secret, state) }
        guard readable < pages.count else {
            if let header, header.streamCount != streams.count { hasAllStreams = false }
            return
        }
        guard let header else {
            hasAllStreams = false
            return
        }
        var tail: [StreamReference?] = []
        for page in pages.reversed() {
            guard page.count != nil else { break }
            tail = try references(page, file, secret, state) + tail
        }
        guard streams.count + tail.count <= header.streamCount else {
            hasAllStreams = false
            return
        }
        streams += Array(repeating: nil, count: header.streamCount - streams.count - tail.count) + tail
    }

    private mutating func streamPage(_ page: Int, _ file: SalvageFile) throws(StoreError) -> StreamPage {
        var found = StreamPage()
        do throws(StoreError) {
            let bytes = try file.read(.head(.streams, page))
            let ranges = try file.decoding { () throws(ColumnError) in try PageGroup.decode(bytes.span, count: 2) }
            do throws(StoreError) {
                let wide = try file.identifiers(bytes[ranges[0]])
                guard zip(wide, wide.dropFirst()).allSatisfy({ $0 < $1 }) else { throw file.damage("the ids of streams are not in order") }
                found.ids = wide.map { StreamID(high: $0.high, low: $0.low) }
            } catch {
                guard error.isDamage else { throw error }
                streamDamage = "page \(page) of the streams: \(error)"
            }
            found.descriptors = try file.texts(bytes[ranges[1]])
        } catch {
            guard error.isDamage else { throw error }
            streamDamage = "page \(page) of the streams: \(error)"
        }
        if let ids = found.ids, let descriptors = found.descriptors, ids.count != descriptors.count { found = StreamPage() }
        return found
    }

    /// The streams of a page. A stream without its labels is known if another file has it; one without its id has the id that its labels make.
    private mutating func references(
        _ page: StreamPage, _ file: SalvageFile, _ secret: StreamSecret, _ state: PublishedState
    ) throws(StoreError) -> [StreamReference?] {
        guard let descriptors = page.descriptors else {
            try file.learnStreams(state)
            return (page.ids ?? []).map { state.registry.reference(of: $0) }
        }
        var last: StreamID?
        return (0..<descriptors.count).map { index in
            let descriptor = descriptors.bytes.span.extracting(descriptors.range(of: index))
            let id = page.ids?[index] ?? secret.id(of: descriptor)
            // An id that is out of order is not the one that the file had.
            if let last, id <= last { return nil }
            last = id
            return state.registry.intern(descriptor, id: id)
        }
    }

    // MARK: Traces

    private mutating func readTraces(_ file: SalvageFile) throws(StoreError) {
        let pageCount = if let header { header.tracePageCount } else { try file.pageCount(.traceIDs) }
        var last: TraceID?
        for page in 0..<pageCount {
            do throws(StoreError) {
                let ids = try file.identifiers(file.read(.head(.traceIDs, page))[...])
                let expected = header.map { min(SegmentFormat.idsPerPage, $0.traceCount - page * SegmentFormat.idsPerPage) }
                let isOrdered = zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 } && (last.map { previous in ids.first.map { previous < $0 } ?? true } ?? true)
                guard isOrdered, ids.count <= SegmentFormat.idsPerPage, ids.count == expected ?? ids.count else {
                    throw file.damage("\(ids.count) ids of traces, which are too many, too few or out of order")
                }
                tracePages.append(ids)
                last = ids.last ?? last
            } catch {
                guard error.isDamage else { throw error }
                tracePages.append(nil)
                traceDamage = "page \(page) of the trace ids: \(error)"
            }
        }
    }

    /// The id of a trace by its ordinal in the file; `nil` when it is lost.
    func traceID(_ ordinal: UInt32) -> TraceID? {
        let (page, index) = Int(ordinal).quotientAndRemainder(dividingBy: SegmentFormat.idsPerPage)
        guard page < tracePages.count, let ids = tracePages[page], index < ids.count else { return nil }
        return ids[index]
    }

    /// Notes the damaged ones of the tables that the rows make anew.
    private mutating func checkRemade(_ file: SalvageFile) throws(StoreError) {
        var kinds: [(kind: SegmentFormat.Kind, name: String, pages: Int)] = []
        if !tracePages.isEmpty {
            kinds += [(.traceFences, "the fences of the trace ids", 1), (.traceBlocks, "the traces' blocks", tracePages.count)]
        }
        if header?.hasTraceTimes ?? false { kinds.append((.traceTimes, "the traces' times", tracePages.count)) }
        if header?.hasSummaries ?? false { kinds.append((.summaries, "the summaries of traces", tracePages.count)) }
        for (kind, name, pages) in kinds {
            do throws(StoreError) {
                for page in 0..<pages { try file.check(kind, page) }
            } catch {
                guard error.isDamage else { throw error }
                remade.append(name)
            }
        }
        do throws(StoreError) {
            if file.description.signal.isMetric, let bytes = try file.readIfThere(.head(.families, 0)) {
                _ = try file.decoding { () throws(ColumnError) in try FamilyCoding.decode(bytes.span) }
            }
        } catch {
            guard error.isDamage else { throw error }
            remade.append("the metric families")
        }
    }
}
