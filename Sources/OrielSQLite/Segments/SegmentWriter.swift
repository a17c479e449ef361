import OrielCompression
import OrielStore
import OrielTelemetry

/// Writes one segment file: blocks as they come, then the tables that they share.
///
/// The file grows under a temporary name (its final one and `.tmp`) with the journal off; `finish` makes it last and gives it its name. Until then nothing
/// is lost that is not still elsewhere, so a writer that is thrown away leaves a file that recovery deletes.
struct SegmentWriter: ~Copyable {
    private let path: String
    private let folder: String
    private let fileSystem: SQLiteFileSystem
    private let file: File
    private var pages: PageEncoder
    private var integers = IntegerEncoder()
    private var header: SegmentHeader
    private var blocks: [BlockHeader] = []
    /// Parallel to `blocks`; the ordinals are those of the lists that `finish` is given.
    private var bindings: [BlockBinding] = []
    private var directories: [[UInt8]] = []
    /// Bytes of directories and column data so far: about the size of the file.
    private(set) var byteCount = 0
    private let pacer: MergePacer?
    /// Of these bytes, how many were put on the disk in portions.
    private var synchronizedBytes = 0

    /// Creates the file and, if need be, its folder.
    ///
    /// - Parameters:
    ///   - description: who the file is; counts, bounds and size are filled in by `finish`.
    ///   - store: the store that writes it.
    ///   - folder: the data folder of the store.
    ///   - level: zstd's, for the tables.
    ///   - pacer: puts what is written on the disk in portions, and may end it.
    init(
        _ description: SegmentDescription, store: StoreIdentity, fileSystem: SQLiteFileSystem, folder: String, level: Int,
        pacer: MergePacer? = nil
    ) throws(StoreError) {
        let path = folder + "/" + description.path
        file = try Self.create(path, description.signal, fileSystem)
        self.path = path
        self.folder = path.parentDirectory
        self.fileSystem = fileSystem
        var description = description
        description.rowCount = 0
        description.minimumTime = .max
        description.maximumTime = .min
        description.byteCount = 0
        header = SegmentHeader(
            storeHigh: store.high, storeLow: store.low, description: description, blockCount: 0, streamCount: 0, streamPageCount: 0, traceCount: 0)
        pages = PageEncoder(level: level)
        self.pacer = pacer
    }

    /// The open database and its statements.
    private struct File {
        let connection: Connection
        let insertBlock: Statement
        let insertColumn: Statement
        let insertFilters: Statement
        let insertHead: Statement
    }

    /// Makes the file with its empty tables, in a transaction that is still open.
    private static func create(_ path: String, _ signal: Signal, _ fileSystem: SQLiteFileSystem) throws(StoreError) -> File {
        do {
            try makeFolders(path.parentDirectory, fileSystem.layer)
            if try fileSystem.layer.exists(path + ".tmp") { try fileSystem.layer.unlink(path + ".tmp") }
            let connection = try Connection(path + ".tmp", .create, fileSystem: fileSystem)
            try connection.pragma("page_size", String(SegmentFormat.pageSize(of: signal)))
            try connection.pragma("journal_mode", "OFF")
            try connection.pragma("locking_mode", "EXCLUSIVE")
            try connection.pragma("synchronous", "OFF")
            try connection.pragma("secure_delete", "OFF")
            try connection.pragma("cache_size", "-2048")
            try connection.execute("BEGIN;" + SegmentFormat.schema)
            return File(
                connection: connection,
                insertBlock: try connection.prepare("INSERT INTO blk(id, dir, streams, traces) VALUES (?1, ?2, ?3, ?4)"),
                insertColumn: try connection.prepare("INSERT INTO col(id, data) VALUES (?1, ?2)"),
                insertFilters: try connection.prepare("INSERT INTO flt(id, data) VALUES (?1, ?2)"),
                insertHead: try connection.prepare("INSERT OR REPLACE INTO head(k, v) VALUES (?1, ?2)"))
        } catch {
            discard(path, fileSystem.layer)
            throw failure(path, error)
        }
    }

    /// Makes the missing ones of a folder below an existing one, and their names last.
    private static func makeFolders(_ folder: String, _ layer: any FileLayer) throws(FileError) {
        if try layer.exists(folder) { return }
        try makeFolders(folder.parentDirectory, layer)
        try layer.ensureDirectory(folder)
    }

    /// Adds a block as it is encoded.
    ///
    /// - Parameters:
    ///   - block: the resident part; its index and stream ordinals are filled in later.
    ///   - binding: ordinals in the lists that `finish` will be given.
    ///   - data: the pages or the filters of a column of the directory, called for those whose data does not lie in the directory.
    mutating func append(
        _ block: BlockHeader, _ directory: BlockDirectory, _ binding: BlockBinding, data: (ColumnPart, Int) throws(StoreError) -> [UInt8]
    ) throws(StoreError) {
        let index = blocks.count
        for column in directory.columns.indices where directory.columns[column].inline == nil {
            try insert(try data(.pages, column), file.insertColumn, index, column)
        }
        for column in directory.columns.indices where directory.columns[column].filterByteCount > 0 && directory.columns[column].inlineFilters == nil {
            try insert(try data(.filters, column), file.insertFilters, index, column)
        }
        let encoded = directory.encoded(using: &integers)
        byteCount += encoded.count + binding.streams.count + binding.traces.count * 2
        directories.append(encoded)
        bindings.append(binding)
        blocks.append(block)
        header.description.rowCount += block.rowCount
        header.description.minimumTime = min(header.description.minimumTime, block.minimumTime)
        header.description.maximumTime = max(header.description.maximumTime, block.maximumTime)
        try pace()
    }

    private mutating func pace() throws(StoreError) {
        guard let pacer else { return }
        try pacer.check()
        guard byteCount - synchronizedBytes >= MergePacer.portion else { return }
        synchronizedBytes = byteCount
        do throws(FileError) {
            try pacer.synchronize(path + ".tmp")
        } catch {
            throw Self.failure(path, error)
        }
    }

    private mutating func insert(_ bytes: [UInt8], _ statement: Statement, _ block: Int, _ column: Int) throws(StoreError) {
        do {
            try statement.bind(1, SegmentFormat.columnRow(block: block, column: column))
            try statement.run(borrowing: bytes.span, at: 2)
        } catch {
            throw Self.failure(path, error)
        }
        byteCount += bytes.count
    }

    var blockCount: Int { blocks.count }

    /// Writes the tables and makes the file last under its final name.
    ///
    /// - Parameters:
    ///   - references: streams in the order of their ids; those that no block uses are left out of the file.
    ///   - traceIDs: sorted and unique; those that no block uses are left out of the file.
    ///   - families: what is known about the metrics.
    ///   - times: when the traces of `traceIDs` begin and end; `nil` when that is not known, or the summaries say it.
    ///   - summaries: of the file's traces; `nil` for none.
    /// - Returns: the description with all that is known now.
    consuming func finish(
        references: [StreamReference], registry: StreamRegistry, traceIDs: [TraceID], families: [MetricFamily] = [],
        times: TraceTimes? = nil, summaries: TraceSummaryBuilder? = nil
    ) throws(StoreError) -> SegmentDescription {
        do {
            let streams = UsedOrdinals(bindings.lazy.map(\.streams), of: references.count)
            let traces = UsedOrdinals(bindings.lazy.map(\.traces), of: traceIDs.count)
            for index in blocks.indices {
                bindings[index].streams = streams.ranks(of: bindings[index].streams)
                bindings[index].traces = traces.ranks(of: bindings[index].traces)
                blocks[index].index = index
                blocks[index].firstStream = bindings[index].streams.first ?? 0
                blocks[index].lastStream = bindings[index].streams.last ?? 0
                try writeBlock(index)
            }
            try write(.blockHeaders, 0, BlockHeaderList.encode(blocks))
            try writeStreams(streams.used.map { references[$0] }, registry)
            try writeTraces(traces.used.map { traceIDs[$0] })
            if let summaries {
                try writeSummaries(summaries, traces.used.map { traceIDs[$0] })
            } else if let times {
                try writeTimes(times, traces.used)
            }
            if !families.isEmpty { try write(.families, 0, FamilyCoding.encode(families)) }
            header.blockCount = blocks.count
            header.streamCount = streams.used.count
            header.traceCount = traces.used.count
            header.hasTraceTimes = times != nil || summaries != nil
            header.hasSummaries = summaries != nil
            if blocks.isEmpty {
                header.description.minimumTime = 0
                header.description.maximumTime = 0
            }
            try writeHeader()
            try file.connection.execute("COMMIT")
        } catch {
            Self.discard(path, fileSystem.layer)
            throw Self.failure(path, error)
        }
        return try close()
    }

    /// The header states the file's size, which depends on the header's own.
    private mutating func writeHeader() throws {
        for _ in 0..<8 {
            try write(.header, 0, header.encoded)
            let pages = Int(try file.connection.pragma("page_count") ?? "") ?? 0
            if header.description.byteCount == pages * SegmentFormat.pageSize(of: header.description.signal) { return }
            header.description.byteCount = pages * SegmentFormat.pageSize(of: header.description.signal)
        }
    }

    /// Ends the connection, synchronises the file and renames it.
    private consuming func close() throws(StoreError) -> SegmentDescription {
        let path = path
        let folder = folder
        let layer = fileSystem.layer
        let description = header.description
        let connection = file.connection
        // The statements go with the writer, so that the connection can be closed and say whether it went well.
        discardStatements()
        do {
            try connection.close()
            let file = try layer.open(path + ".tmp", .readWrite)
            do {
                let size = try layer.size(file)
                guard size == Int64(description.byteCount) else {
                    throw StoreError.unusable(path: path, reason: "\(size) bytes were written, \(description.byteCount) are expected")
                }
                try layer.synchronize(file, all: true)
            } catch {
                layer.closeAfterFailure(file)
                throw error
            }
            try layer.close(file)
            try layer.rename(path + ".tmp", to: path)
            try layer.synchronizeDirectory(folder)
        } catch {
            Self.discard(path, layer)
            throw Self.failure(path, error)
        }
        return description
    }

    private consuming func discardStatements() {}

    /// Deletes what was written so far.
    consuming func abandon() {
        let path = path
        let layer = fileSystem.layer
        discardStatements()
        Self.discard(path, layer)
    }

    private static func discard(_ path: String, _ layer: any FileLayer) {
        do throws(FileError) {
            try layer.unlink(path + ".tmp")
        } catch {
            // The file was not made yet, has its final name, or stays until recovery deletes it; the error that led here is on its way to the caller.
            _ = error
        }
    }

    // MARK: Tables

    private mutating func write(_ kind: SegmentFormat.Kind, _ index: Int, _ blob: [UInt8]) throws(SQLiteError) {
        try file.insertHead.bind(1, kind.key(index))
        try file.insertHead.run(borrowing: blob.span, at: 2)
    }

    private mutating func writeBlock(_ index: Int) throws {
        var streams: [UInt8] = []
        var traces: [UInt8] = []
        try appendPage(bindings[index].streams, to: &streams)
        try appendPage(bindings[index].traces, to: &traces)
        try file.insertBlock.bind(1, Int64(index))
        let directory = directories[index]
        try file.insertBlock.bind(2, directory.span)
        try file.insertBlock.bind(3, streams.span)
        try file.insertBlock.run(borrowing: traces.span, at: 4)
        directories[index] = []
    }

    private mutating func appendPage(_ values: [UInt32], to bytes: inout [UInt8]) throws(CompressionError) {
        let wide = values.map { Int64($0) }
        try pages.append(integers: wide.span, rows: .init(count: wide.count), to: &bytes)
    }

    private mutating func writeStreams(_ references: [StreamReference], _ registry: StreamRegistry) throws {
        let ids = registry.ids(of: references)
        var start = 0
        while start < references.count {
            var descriptors = ByteColumn()
            var end = start
            while end < references.count, end - start < SegmentFormat.idsPerPage, descriptors.bytes.count < SegmentFormat.descriptorBytes {
                descriptors.append(registry.descriptor(of: references[end]).span)
                end += 1
            }
            var idPage: [UInt8] = []
            var descriptorPage: [UInt8] = []
            let wide = ids[start..<end].map { TraceID(high: $0.high, low: $0.low) }
            try pages.append(wideIdentifiers: wide.span, to: &idPage)
            try pages.append(
                bytes: descriptors.bytes.span, start: 0, ends: descriptors.ends.span, rows: .init(count: end - start), to: &descriptorPage)
            try write(.streams, header.streamPageCount, PageGroup.encode([idPage, descriptorPage]))
            header.streamPageCount += 1
            start = end
        }
    }

    private mutating func writeTraces(_ ids: [TraceID]) throws {
        guard !ids.isEmpty else { return }
        // For each trace its blocks, ascending, since blocks are walked in order: counts first, then places.
        var ends = [Int](repeating: 0, count: ids.count + 1)
        for binding in bindings {
            for trace in binding.traces { ends[Int(trace) + 1] += 1 }
        }
        for index in ids.indices { ends[index + 1] += ends[index] }
        var next = ends
        var lists = [Int64](repeating: 0, count: ends[ids.count])
        for (block, binding) in bindings.enumerated() {
            for trace in binding.traces {
                lists[next[Int(trace)]] = Int64(block)
                next[Int(trace)] += 1
            }
        }
        var fences: [TraceID] = []
        for start in stride(from: 0, to: ids.count, by: SegmentFormat.idsPerPage) {
            let end = min(start + SegmentFormat.idsPerPage, ids.count)
            var idPage: [UInt8] = []
            try pages.append(wideIdentifiers: ids.span.extracting(start..<end), to: &idPage)
            try write(.traceIDs, fences.count, idPage)
            let counts = (start..<end).map { Int64(ends[$0 + 1] - ends[$0]) }
            let list = TraceBlockList.encode(counts: counts, blocks: Array(lists[ends[start]..<ends[end]]), &integers)
            try write(.traceBlocks, fences.count, list)
            fences.append(ids[start])
        }
        var page: [UInt8] = []
        try pages.append(wideIdentifiers: fences.span, to: &page)
        try write(.traceFences, 0, page)
    }

    /// One page of summaries per page of trace ids. A trace without a summary gets an empty one.
    private mutating func writeSummaries(_ summaries: TraceSummaryBuilder, _ ids: [TraceID]) throws {
        for (page, start) in stride(from: 0, to: ids.count, by: SegmentFormat.idsPerPage).enumerated() {
            let part = ids[start..<min(start + SegmentFormat.idsPerPage, ids.count)]
            let ordered = part.map { id in summaries.summary(of: id) ?? TraceSummary(traceID: id) }
            var times = TraceTimes()
            times.starts = ordered.map(\.start)
            times.ends = ordered.map(\.end)
            try write(.traceTimes, page, try TraceTimesCoding.encode(times, 0..<ordered.count, &pages))
            try write(.summaries, page, try SummaryCoding.encode(ordered, &pages))
        }
    }

    /// One page of times per page of trace ids.
    private mutating func writeTimes(_ times: TraceTimes, _ ordinals: [Int]) throws {
        var used = TraceTimes()
        used.starts = ordinals.map { times.starts[$0] }
        used.ends = ordinals.map { times.ends[$0] }
        for (page, start) in stride(from: 0, to: ordinals.count, by: SegmentFormat.idsPerPage).enumerated() {
            let range = start..<min(start + SegmentFormat.idsPerPage, ordinals.count)
            try write(.traceTimes, page, try TraceTimesCoding.encode(used, range, &pages))
        }
    }

    static func failure(_ path: String, _ error: any Error) -> StoreError {
        (error as? StoreError) ?? .unusable(path: path, reason: "\(error)")
    }
}

/// Which ordinals of a list some blocks use, and what they become when the others are left out.
struct UsedOrdinals {
    /// Ascending.
    private(set) var used: [Int] = []
    private var ranks: [UInt32]

    init(_ lists: some Sequence<[UInt32]>, of count: Int) {
        ranks = [UInt32](repeating: .max, count: count)
        for list in lists {
            for ordinal in list { ranks[Int(ordinal)] = 0 }
        }
        for ordinal in ranks.indices where ranks[ordinal] == 0 {
            ranks[ordinal] = UInt32(used.count)
            used.append(ordinal)
        }
    }

    func ranks(of ordinals: [UInt32]) -> [UInt32] {
        ordinals.map { ranks[Int($0)] }
    }
}

extension SegmentWriter {
    /// Writes the blocks of sealed runs, as they are, into one file of level 0.
    ///
    /// - Parameters:
    ///   - runs: of one signal, oldest first.
    ///   - description: file id, signal, level 0 and pieces; the caller has entered it in the manifest as `writing`.
    /// - Returns: the description with counts, bounds and size. The file and its name are on the disk.
    static func flush(
        _ runs: [SealedRun], _ description: SegmentDescription, store: StoreIdentity, families: [MetricFamily] = [], registry: StreamRegistry,
        fileSystem: SQLiteFileSystem, folder: String
    ) throws(StoreError) -> SegmentDescription {
        let union = ContainerUnion(references: runs.map(\.references), traceIDs: runs.map(\.traceIDs), registry: registry)
        var writer = try SegmentWriter(description, store: store, fileSystem: fileSystem, folder: folder, level: 1)
        for (number, run) in runs.enumerated() {
            for block in run.blocks {
                let encoded = run.encoded[block.index]
                try writer.append(block, encoded.directory, union.binding(run.bindings[block.index], of: number)) { part, column in
                    encoded[part, column]
                }
            }
        }
        let times = try union.traceTimes(of: runs)
        return try writer.finish(references: union.references, registry: registry, traceIDs: union.traceIDs, families: families, times: times)
    }
}

/// The streams and traces of several containers as common sorted lists, and what each container's ordinals become in them.
struct ContainerUnion {
    let streams: StreamOrdinals
    let traceIDs: [TraceID]
    private let streamMaps: [[UInt32]]
    private let traceMaps: [[UInt32]]

    /// - Parameters:
    ///   - references: of each container, in the order of stream ids.
    ///   - traceIDs: of each container, sorted and unique.
    init(references: [[StreamReference]], traceIDs: [[TraceID]], registry: StreamRegistry) {
        let ordinals = StreamOrdinals(sorted: registry.sortedByID(StreamOrdinals.distinct(references)))
        streams = ordinals
        streamMaps = references.map { ordinals.ordinals(of: $0) }
        let union = TraceOrdinals.union(traceIDs)
        self.traceIDs = union
        traceMaps = traceIDs.map { TraceOrdinals.ordinals(of: $0, among: union) }
    }

    func binding(_ binding: BlockBinding, of container: Int) -> BlockBinding {
        BlockBinding(
            streams: binding.streams.map { streamMaps[container][Int($0)] }, traces: binding.traces.map { traceMaps[container][Int($0)] })
    }

    /// When all traces begin and end; `nil` when a run does not know it.
    func traceTimes(of runs: [SealedRun]) throws(StoreError) -> TraceTimes? {
        var all = TraceTimes(count: traceIDs.count)
        for (number, run) in runs.enumerated() {
            guard let times = try run.traceTimes() else { return nil }
            for (ordinal, place) in traceMaps[number].enumerated() { all.add(times.starts[ordinal], times.ends[ordinal], to: Int(place)) }
        }
        return all
    }

    /// In the order of stream ids.
    var references: [StreamReference] { streams.references }
}
