import OrielStore
import OrielTelemetry
import Synchronization

/// An immutable file of blocks of one signal, open for reading. Safe for any number of threads.
///
/// Its streams have the references of one registry; ``bound(to:)`` gives the same open file with those of another.
///
/// Resident are the description and the headers of the blocks; the references of the streams come with the first use; the rest is read when it is asked for and checked
/// by its CRC32C each time it comes from the file.
final class Segment: BlockContainer {
    let header: SegmentHeader
    let path: String
    let blocks: [BlockHeader]
    let file: OpenSegment
    private let registry: StreamRegistry
    let damageReport: DamageReport?
    private let references = Mutex<[StreamReference]?>(nil)

    private init(
        _ header: SegmentHeader, _ path: String, _ blocks: [BlockHeader], _ file: OpenSegment, _ registry: StreamRegistry, _ damageReport: DamageReport?
    ) {
        self.header = header
        self.path = path
        self.blocks = blocks
        self.file = file
        self.registry = registry
        self.damageReport = damageReport
    }

    var number: Int { file.number }
    var lifetime: any AnyObject & Sendable { file }
    var cache: SegmentCache { file.cache }
    var sharedTraces: SharedTraces { file.sharedTraces }

    func bound(to registry: StreamRegistry) -> any BlockContainer {
        registry === self.registry ? self : Segment(header, path, blocks, file, registry, damageReport)
    }

    var description: SegmentDescription { header.description }
    var signal: Signal { description.signal }
    var rowCount: Int { description.rowCount }
    var appliedDeletions: CommitSequence { description.appliedDeletions }

    // MARK: Opening

    /// Opens a file that a manifest describes.
    ///
    /// - Parameters:
    ///   - folder: the data folder of the store.
    ///   - damageReport: where damage that reading meets is noted.
    /// - Throws: `unusable` when the file is missing, has another size, or says something else about itself.
    static func open(
        _ description: SegmentDescription, fileSystem: SQLiteFileSystem, folder: String, registry: StreamRegistry,
        cache: SegmentCache = .shared, openSegments: OpenSegments = .shared, damageReport: DamageReport? = nil
    ) throws(StoreError) -> Segment {
        let path = folder + "/" + description.path
        let segment = try open(
            path, fileSystem: fileSystem, registry: registry, cache: cache, openSegments: openSegments, damageReport: damageReport)
        guard segment.description == description else {
            throw .unusable(path: path, reason: "the file describes itself as \(segment.description), the manifest as \(description)")
        }
        return segment
    }

    /// Opens a file by what it says about itself.
    static func open(
        _ path: String, fileSystem: SQLiteFileSystem, registry: StreamRegistry, cache: SegmentCache = .shared,
        openSegments: OpenSegments = .shared, damageReport: DamageReport? = nil
    ) throws(StoreError) -> Segment {
        let (header, connection) = try readHeader(path, fileSystem)
        var buffer: [UInt8] = []
        do {
            guard try connection.read(.head(.blockHeaders, 0), nil, into: &buffer) else {
                throw StoreError.unusable(path: path, reason: "the list of blocks is missing")
            }
            let blocks = try BlockHeaderList.decode(buffer.span, count: header.blockCount)
            let file = OpenSegment(path, fileSystem, cache, openSegments)
            return Segment(header, path, blocks, file, registry, damageReport)
        } catch {
            throw SegmentWriter.failure(path, error)
        }
    }

    /// Reads what a file says about itself, and checks its size; for recovery.
    static func readHeader(path: String, fileSystem: SQLiteFileSystem) throws(StoreError) -> SegmentHeader {
        try readHeader(path, fileSystem).header
    }

    private static func readHeader(
        _ path: String, _ fileSystem: SQLiteFileSystem
    ) throws(StoreError) -> (header: SegmentHeader, connection: SegmentConnection) {
        do {
            guard let status = try fileSystem.layer.status(path) else { throw StoreError.unusable(path: path, reason: "the file is missing") }
            let connection = try SegmentConnection(path, fileSystem: fileSystem)
            var buffer: [UInt8] = []
            guard try connection.read(.head(.header, 0), nil, into: &buffer) else {
                throw StoreError.unusable(path: path, reason: "the file has no header")
            }
            if let version = buffer.first, version > SegmentFormat.version {
                throw StoreError.newerFormat(path: path, found: Int(version), supported: Int(SegmentFormat.version))
            }
            let header = try SegmentHeader(encoded: buffer.span)
            guard status.size == Int64(header.description.byteCount) else {
                throw StoreError.unusable(path: path, reason: "the file has \(status.size) bytes, its header says \(header.description.byteCount)")
            }
            // Each of these takes some bytes, so that no list can be longer than the file has room for.
            guard header.blockCount <= Int(status.size) / 32, header.streamCount <= Int(status.size) / 16, header.traceCount <= Int(status.size) / 16,
                header.streamPageCount <= header.streamCount
            else { throw StoreError.unusable(path: path, reason: "the header counts more than the file can hold") }
            return (header, connection)
        } catch {
            throw SegmentWriter.failure(path, error)
        }
    }

    /// How often the file is open.
    var connectionCount: Int { file.connectionCount }

    // MARK: Reading

    /// Replaces `buffer` by a blob of the file, or by a part of one.
    func readBlob(_ blob: SegmentConnection.Blob, _ range: Range<Int>? = nil, into buffer: inout [UInt8]) throws(StoreError) {
        var bytes = buffer
        buffer = []
        do {
            let found = try file.withConnection { connection throws(SQLiteError) in try connection.read(blob, range, into: &bytes) }
            guard found else { throw damage("\(blob) is missing", block: blob.block) }
        } catch {
            throw failure(error, block: blob.block)
        }
        buffer = bytes
    }

    /// Notes damage and makes the error that readers go on without it by.
    ///
    /// - Parameter block: the damaged block; `nil` when what all blocks need is damaged.
    func damage(_ reason: String, block: Int? = nil) -> StoreError {
        damageReport?.note(path: path, block: block, reason: reason)
        return .damaged(path: path, reason: reason)
    }

    func damage(_ error: ColumnError, _ place: String, block: Int? = nil) -> StoreError {
        damage("\(place): \(error)", block: block)
    }

    /// What a failed read is thrown as: damage when it lies in the file, else `unusable`, as when memory or file descriptors run out.
    private func failure(_ error: any Error, block: Int? = nil) -> StoreError {
        if let error = error as? SQLiteError, error.isDamage { return damage("\(error)", block: block) }
        return SegmentWriter.failure(path, error)
    }

    /// A block's directory and what its local numbers stand for.
    func block(_ index: Int) throws(StoreError) -> (directory: BlockDirectory, binding: BlockBinding) {
        if case .block(let directory, let binding)? = cache.content(.block(index), of: number) { return (directory, binding) }
        var buffer: [UInt8] = []
        try readBlob(.directory(index), into: &buffer)
        do {
            let directory = try BlockDirectory(encoded: buffer.span)
            guard directory.signal == signal, directory.rowCount == blocks[index].rowCount else {
                throw ColumnError(.malformed("the directory is not that of the block in the list"), at: 0)
            }
            let binding = BlockBinding(
                streams: try ordinals(.blockStreams(index), count: directory.streamCount, below: header.streamCount),
                traces: try ordinals(.blockTraces(index), count: directory.traceCount, below: header.traceCount))
            cache.insert(.block(directory, binding), .block(index), of: number)
            return (directory, binding)
        } catch let error as ColumnError {
            throw damage(error, "block \(index)", block: index)
        } catch {
            throw failure(error, block: index)
        }
    }

    private func ordinals(_ blob: SegmentConnection.Blob, count: Int, below limit: Int) throws -> [UInt32] {
        var buffer: [UInt8] = []
        try readBlob(blob, into: &buffer)
        var decoder = PageDecoder()
        try decoder.open(buffer.span)
        var values: [Int64] = []
        try decoder.appendIntegers(to: &values)
        var last: Int64 = -1
        for value in values {
            guard value > last, value < Int64(limit) else { throw ColumnError(.malformed("ordinal \(value) after \(last), of \(limit)"), at: 0) }
            last = value
        }
        guard values.count == count else { throw ColumnError(.malformed("\(values.count) ordinals, \(count) are expected"), at: 0) }
        return values.map { UInt32($0) }
    }

    func streamReferences() throws(StoreError) -> [StreamReference] {
        if let known = references.withLock({ $0 }) { return known }
        var found: [StreamReference] = []
        found.reserveCapacity(header.streamCount)
        for page in 0..<header.streamPageCount {
            let (ids, descriptors) = try streamPage(page)
            for index in ids.indices {
                guard let reference = registry.intern(descriptors.bytes.span.extracting(descriptors.range(of: index)), id: ids[index]) else {
                    throw damage("stream \(ids[index]) has the id of another stream")
                }
                found.append(reference)
            }
        }
        guard found.count == header.streamCount else {
            throw damage("\(found.count) streams are listed, the header has \(header.streamCount)")
        }
        references.withLock { $0 = found }
        return found
    }

    /// Ids and descriptors of one page of the stream table.
    func streamPage(_ page: Int) throws(StoreError) -> (ids: [StreamID], descriptors: ByteColumn) {
        var buffer: [UInt8] = []
        try readBlob(.head(.streams, page), into: &buffer)
        do {
            let ranges = try PageGroup.decode(buffer.span, count: 2)
            var decoder = PageDecoder()
            var wide: [TraceID] = []
            var bytes: [UInt8] = []
            var ends: [UInt32] = []
            try decoder.open(buffer.span.extracting(ranges[0]))
            try decoder.appendWideIdentifiers(to: &wide)
            try decoder.open(buffer.span.extracting(ranges[1]))
            try decoder.appendBytes(to: &bytes, ends: &ends)
            guard ends.count == wide.count, let descriptors = ByteColumn(bytes: bytes, ends: ends) else {
                throw ColumnError(.malformed("\(wide.count) ids of \(ends.count) streams"), at: 0)
            }
            return (wide.map { StreamID(high: $0.high, low: $0.low) }, descriptors)
        } catch let error as ColumnError {
            throw damage(error, "page \(page) of the streams")
        } catch {
            throw failure(error)
        }
    }

    /// Metric families as they were known when the file was written.
    func families() throws(StoreError) -> [MetricFamily] {
        var buffer: [UInt8] = []
        guard signal.isMetric else { return [] }
        do {
            let found = try file.withConnection { connection throws(SQLiteError) in try connection.read(.head(.families, 0), nil, into: &buffer) }
            return found ? try FamilyCoding.decode(buffer.span) : []
        } catch let error as ColumnError {
            throw damage(error, "metric families")
        } catch {
            throw failure(error)
        }
    }

    func streamRuns(ofBlock block: Int) throws(StoreError) -> [StreamRun] {
        let (directory, binding) = try self.block(block)
        return directory.streamRuns(binding)
    }

    func rows(ofBlock block: Int, streams: [UInt32]?, in bounds: Range<Int64>?) throws(StoreError) -> [Int] {
        let (directory, binding) = try self.block(block)
        var reader = BlockReader(directory, SegmentBlock(segment: self, block: block, binding: binding))
        return try reader.rows(in: bounds, ofStreams: binding.locals(ofStreams: streams))
    }

    func rows(ofBlock block: Int, inTimes bounds: Range<Int64>) throws(StoreError) -> [Int] {
        let (directory, binding) = try self.block(block)
        var reader = BlockReader(directory, SegmentBlock(segment: self, block: block, binding: binding))
        return try reader.rows(inTimes: bounds)
    }

    func rows(ofBlock block: Int, amongTraces traces: OrdinalSet) throws(StoreError) -> [Int]? {
        if traces.isEmpty { return [] }
        let (directory, binding) = try self.block(block)
        var reader = BlockReader(directory, SegmentBlock(segment: self, block: block, binding: binding))
        return try reader.rows(amongTraces: traces, binding)
    }

    func read(block: Int, rows: [Int]?, projection: Projection) throws(StoreError) -> ColumnBatch {
        let references = try streamReferences()
        let (directory, binding) = try self.block(block)
        var reader = BlockReader(directory, SegmentBlock(segment: self, block: block, binding: binding))
        return try reader.read(rows, projection: projection, streams: binding.streams, references: references)
    }

    /// Reads some rows of a block of which more will be read.
    ///
    /// - Parameter opened: what the reads of this block keep at hand for each other.
    func read(block: Int, rows: [Int], projection: Projection, opened: inout OpenedPages) throws(StoreError) -> ColumnBatch {
        let references = try streamReferences()
        let (directory, binding) = try self.block(block)
        let kept = opened
        // The reader's must be the only reference to the pages, else each change would copy them.
        opened = OpenedPages()
        var reader = BlockReader(directory, SegmentBlock(segment: self, block: block, binding: binding), opened: kept)
        let batch = try reader.read(rows, projection: projection, streams: binding.streams, references: references)
        if let kept = reader.finish() { opened = kept }
        return batch
    }

    func integerBounds(_ column: ColumnID, block: Int) throws(StoreError) -> ClosedRange<Int64>? {
        try self.block(block).directory.integerBounds(column)
    }

    // MARK: Traces

    func traceFences() throws(StoreError) -> [TraceID] {
        if let known = file.fences.withLock({ $0 }) { return known }
        var buffer: [UInt8] = []
        try readBlob(.head(.traceFences, 0), into: &buffer)
        let found = try wideIdentifiers(buffer, "the fences of the trace ids", count: header.tracePageCount)
        file.fences.withLock { $0 = found }
        return found
    }

    /// One page of the sorted trace ids.
    func traceIDs(page: Int) throws(StoreError) -> [TraceID] {
        if case .traceIDs(let ids)? = cache.content(.traceIDs(page), of: number) { return ids }
        var buffer: [UInt8] = []
        try readBlob(.head(.traceIDs, page), into: &buffer)
        let count = min(SegmentFormat.idsPerPage, header.traceCount - page * SegmentFormat.idsPerPage)
        let ids = try wideIdentifiers(buffer, "page \(page) of the trace ids", count: count)
        cache.insert(.traceIDs(ids), .traceIDs(page), of: number)
        return ids
    }

    /// All trace ids, sorted; for merges.
    func allTraceIDs() throws(StoreError) -> [TraceID] {
        var ids: [TraceID] = []
        ids.reserveCapacity(header.traceCount)
        for page in 0..<header.tracePageCount { ids.append(contentsOf: try traceIDs(page: page)) }
        return ids
    }

    private func wideIdentifiers(_ page: [UInt8], _ place: String, count: Int) throws(StoreError) -> [TraceID] {
        do throws(ColumnError) {
            var decoder = PageDecoder()
            try decoder.open(page.span)
            var ids: [TraceID] = []
            try decoder.appendWideIdentifiers(to: &ids)
            guard ids.count == count else { throw ColumnError(.malformed("\(ids.count) ids, \(count) are expected"), at: 0) }
            return ids
        } catch {
            throw damage(error, place)
        }
    }

    /// The blocks of the traces of one page: those of trace i are `blocks[ends[i]..<ends[i + 1]]`.
    func traceBlocks(page: Int) throws(StoreError) -> (ends: [Int], blocks: [Int]) {
        var buffer: [UInt8] = []
        try readBlob(.head(.traceBlocks, page), into: &buffer)
        do throws(ColumnError) {
            return try TraceBlockList.decode(buffer.span, blockCount: blocks.count)
        } catch {
            throw damage(error, "page \(page) of the traces' blocks")
        }
    }

    // MARK: Checking

    /// Reads and checks every blob of the file and SQLite's own structure.
    ///
    /// - Throws: `damaged` for the first damage.
    func verify() throws(StoreError) {
        try verifyStructure()
        cache.remove(segment: number)
        file.fences.withLock { $0 = nil }
        try verifyTables()
        for index in blocks.indices { _ = try verify(block: index) }
    }

    /// Lets SQLite check its own pages.
    func verifyStructure() throws(StoreError) {
        do {
            let damage = try file.withConnection { connection throws(SQLiteError) in try connection.structuralDamage() }
            if let damage { throw self.damage("SQLite finds \(damage)") }
        } catch {
            throw failure(error)
        }
    }

    /// Reads and checks what all blocks need.
    func verifyTables() throws(StoreError) {
        for page in 0..<header.streamPageCount { _ = try streamPage(page) }
        if header.traceCount > 0 { _ = try traceFences() }
        for page in 0..<header.tracePageCount {
            _ = try traceIDs(page: page)
            _ = try traceBlocks(page: page)
        }
        _ = try traceTimes()
        _ = try traceSummaries()
        _ = try families()
    }

    /// Reads and checks every blob of a block.
    ///
    /// - Returns: the bytes of its columns.
    func verify(block index: Int) throws(StoreError) -> Int {
        var decoder = PageDecoder()
        var buffer: [UInt8] = []
        var byteCount = 0
        let (directory, _) = try block(index)
        for (number, column) in directory.columns.enumerated() {
            if let inline = column.inline { buffer = inline } else { try readBlob(.column(block: index, column: number), into: &buffer) }
            guard buffer.count == column.byteCount else {
                throw damage("column \(number) of block \(index) has \(buffer.count) bytes, not \(column.byteCount)", block: index)
            }
            byteCount += buffer.count + column.filterByteCount
            do throws(ColumnError) {
                if column.dictionaryByteCount > 0 { try decoder.open(buffer.span.extracting(0..<column.dictionaryByteCount)) }
                for page in column.pages { try decoder.open(buffer.span.extracting(page.offset..<(page.offset + page.byteCount))) }
            } catch {
                throw damage(error, "block \(index), column \(number)", block: index)
            }
            try verify(filtersOf: number, column, block: index)
        }
        return byteCount
    }
}

/// A block of a segment as the reader sees it.
struct SegmentBlock: BlockStorage {
    let segment: Segment
    let block: Int
    let binding: BlockBinding

    func read(column: Int, _ range: Range<Int>, into buffer: inout [UInt8]) throws(StoreError) {
        try segment.readBlob(.column(block: block, column: column), range, into: &buffer)
    }

    func filter(_ kind: BlockFilter.Kind, column: Int) throws(StoreError) -> BlockFilter? {
        try segment.filter(kind, block: block, column: column)
    }

    func traceIDs(_ locals: [Int]) throws(StoreError) -> [TraceID] {
        var ids: [TraceID] = []
        ids.reserveCapacity(locals.count)
        var page = -1
        var pageIDs: [TraceID] = []
        for local in locals {
            let ordinal = Int(binding.traces[local])
            if ordinal / SegmentFormat.idsPerPage != page {
                page = ordinal / SegmentFormat.idsPerPage
                pageIDs = try segment.traceIDs(page: page)
            }
            ids.append(pageIDs[ordinal % SegmentFormat.idsPerPage])
        }
        return ids
    }

    func damage(_ error: ColumnError, column: Int) -> StoreError {
        segment.damage(error, "block \(block), column \(column)", block: block)
    }
}
