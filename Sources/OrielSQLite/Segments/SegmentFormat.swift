import OrielStore
import OrielTelemetry

/// The tables of a segment file and what their rows are called.
///
/// ```
/// head(k, v)                     k = kind << 32 | index
/// blk(id, dir, streams, traces)  a block's directory and the ordinals that its local numbers stand for
/// col(id, data)                  id = block << 12 | column of the directory: the column's pages
/// flt(id, data)                  the same id: the column's filters
/// ```
/// Every blob is a page, a directory, or another record that ends in its CRC32C.
enum SegmentFormat {
    static let version: UInt8 = 2
    /// Bytes of SQLite's pages. A blob leaves half of its last page empty on average: the blocks of samples are so small that this was a third of a file of idle series.
    static func pageSize(of signal: Signal) -> Int { signal.isMetric ? 4096 : 16_384 }
    /// Ids on one page of the trace table or of the stream table.
    static let idsPerPage = 4096
    /// Descriptor bytes from which on a page of streams ends early.
    static let descriptorBytes = 64 << 10

    static let schema = """
        CREATE TABLE head(k INTEGER PRIMARY KEY, v BLOB NOT NULL);
        CREATE TABLE blk(id INTEGER PRIMARY KEY, dir BLOB NOT NULL, streams BLOB NOT NULL, traces BLOB NOT NULL);
        CREATE TABLE col(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
        CREATE TABLE flt(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
        """

    /// What a row of `head` holds.
    enum Kind: Int64 {
        /// `SegmentHeader`.
        case header = 0
        /// The resident part of all blocks.
        case blockHeaders = 1
        /// A page of stream ids, ascending over all pages, with the descriptors of the same streams behind it.
        case streams = 2
        /// A page of trace ids, ascending over all pages.
        case traceIDs = 3
        /// The blocks of the traces of the page with the same index.
        case traceBlocks = 4
        /// The first id of each page of trace ids.
        case traceFences = 5
        /// When the traces of the page with the same index begin and end; in files of spans.
        case traceTimes = 6
        /// Metric families.
        case families = 7
        /// The other parts of the summaries of the traces of the page with the same index.
        case summaries = 8

        func key(_ index: Int = 0) -> Int64 { rawValue << 32 | Int64(index) }
    }

    static func columnRow(block: Int, column: Int) -> Int64 { Int64(block) << 12 | Int64(column) }
}

/// What a segment says about itself: enough to enter it in a manifest again.
struct SegmentHeader: Hashable, Sendable {
    /// The store that wrote it.
    var storeHigh: UInt64
    var storeLow: UInt64
    var description: SegmentDescription
    var blockCount: Int
    var streamCount: Int
    var streamPageCount: Int
    var traceCount: Int
    /// Whether the times of the traces are known.
    var hasTraceTimes: Bool
    /// Whether there are summaries of the traces.
    var hasSummaries: Bool

    var tracePageCount: Int { (traceCount + SegmentFormat.idsPerPage - 1) / SegmentFormat.idsPerPage }

    var encoded: [UInt8] {
        var bytes: [UInt8] = [SegmentFormat.version]
        bytes.append(littleEndian: storeHigh)
        bytes.append(littleEndian: storeLow)
        bytes.append(counted: SegmentRecord.encode(description).span)
        bytes.append(count: blockCount)
        bytes.append(count: streamCount)
        bytes.append(count: streamPageCount)
        bytes.append(count: traceCount)
        bytes.append((hasTraceTimes ? 1 : 0) | (hasSummaries ? 2 : 0))
        BlobChecksum.seal(&bytes)
        return bytes
    }

    init(
        storeHigh: UInt64, storeLow: UInt64, description: SegmentDescription, blockCount: Int, streamCount: Int, streamPageCount: Int,
        traceCount: Int, hasTraceTimes: Bool = false, hasSummaries: Bool = false
    ) {
        self.storeHigh = storeHigh
        self.storeLow = storeLow
        self.description = description
        self.blockCount = blockCount
        self.streamCount = streamCount
        self.streamPageCount = streamPageCount
        self.traceCount = traceCount
        self.hasTraceTimes = hasTraceTimes
        self.hasSummaries = hasSummaries
    }

    init(encoded blob: Span<UInt8>) throws(ColumnError) {
        let bytes = blob.extracting(0..<(try BlobChecksum.open(blob)))
        var offset = 0
        let version = try bytes.readByte(&offset)
        guard version == SegmentFormat.version else { throw ColumnError(.version(version), at: 0) }
        storeHigh = try bytes.readLittleEndian(&offset)
        storeLow = try bytes.readLittleEndian(&offset)
        description = try SegmentRecord.decode(bytes.extracting(try bytes.readCounted(&offset)))
        blockCount = try bytes.readCount(&offset, limit: Int(Int32.max))
        streamCount = try bytes.readCount(&offset, limit: Int(Int32.max))
        streamPageCount = try bytes.readCount(&offset, limit: Int(Int32.max))
        traceCount = try bytes.readCount(&offset, limit: Int(Int32.max))
        let flags = try bytes.readByte(&offset)
        hasTraceTimes = flags & 1 != 0
        hasSummaries = flags & 2 != 0
    }
}

/// The resident parts of all blocks of a file as one blob.
enum BlockHeaderList {
    private static let fields: [any WritableKeyPath<Fields, Int64> & Sendable] = [
        \.rowCount, \.firstSlot, \.lastSlot, \.low, \.high, \.minimumTime, \.maximumTime, \.firstStream, \.lastStream,
    ]

    /// What the list says after these, where it does.
    private static let laterFields: [any WritableKeyPath<Fields, Int64> & Sendable] = [\.followsPrevious]

    private struct Fields {
        var rowCount: Int64 = 0
        var firstSlot: Int64 = 0
        var lastSlot: Int64 = 0
        var low: Int64 = 0
        var high: Int64 = 0
        var minimumTime: Int64 = 0
        var maximumTime: Int64 = 0
        var firstStream: Int64 = 0
        var lastStream: Int64 = 0
        var followsPrevious: Int64 = 0

        init() {}

        init(_ header: BlockHeader) {
            rowCount = Int64(header.rowCount)
            firstSlot = header.firstSlot.number
            lastSlot = header.lastSlot.number
            low = Int64(bitPattern: header.low.rawValue)
            high = Int64(bitPattern: header.high.rawValue)
            minimumTime = header.minimumTime
            maximumTime = header.maximumTime
            firstStream = Int64(header.firstStream)
            lastStream = Int64(header.lastStream)
            followsPrevious = header.followsPrevious ? 1 : 0
        }
    }

    static func encode(_ headers: [BlockHeader]) -> [UInt8] {
        var encoder = IntegerEncoder()
        var bytes: [UInt8] = [SegmentFormat.version]
        bytes.append(count: headers.count)
        let rows = headers.map { Fields($0) }
        for field in fields + laterFields { encoder.append(rows.map { $0[keyPath: field] }, to: &bytes) }
        BlobChecksum.seal(&bytes)
        return bytes
    }

    static func decode(_ blob: Span<UInt8>, count: Int) throws(ColumnError) -> [BlockHeader] {
        try decode(blob, count: count, limit: count)
    }

    /// - Parameters:
    ///   - expected: how many there are; `nil` when that is not known.
    ///   - limit: how many there can be.
    static func decode(_ blob: Span<UInt8>, count expected: Int?, limit: Int) throws(ColumnError) -> [BlockHeader] {
        let bytes = blob.extracting(0..<(try BlobChecksum.open(blob)))
        var offset = 0
        let version = try bytes.readByte(&offset)
        guard version == SegmentFormat.version else { throw ColumnError(.version(version), at: 0) }
        let count = try bytes.readCount(&offset, limit: limit)
        if let expected, count != expected { throw ColumnError(.malformed("\(count) blocks are listed, the header has \(expected)"), at: 1) }
        var decoder = IntegerDecoder()
        var rows: [Fields] = []
        for (number, field) in (fields + laterFields).enumerated() {
            // Files that were written before a later field was known end without it.
            if number >= fields.count, offset == bytes.count { break }
            let values = try decoder.values(bytes, at: &offset, count: count)
            if rows.isEmpty { rows = Array(repeating: Fields(), count: count) }
            for index in rows.indices { rows[index][keyPath: field] = values[index] }
        }
        var headers: [BlockHeader] = []
        headers.reserveCapacity(count)
        for (index, row) in rows.enumerated() {
            guard row.rowCount > 0, row.rowCount <= Int64(BlockDirectory.maximumRows), row.firstStream >= 0, row.firstStream <= Int64(UInt32.max),
                row.lastStream >= 0, row.lastStream <= Int64(UInt32.max)
            else { throw ColumnError(.malformed("the header of block \(index) is out of range"), at: offset) }
            headers.append(
                BlockHeader(
                    index: index, rowCount: Int(row.rowCount), firstSlot: Slot(number: row.firstSlot), lastSlot: Slot(number: row.lastSlot),
                    low: CommitSequence(rawValue: UInt64(bitPattern: row.low)), high: CommitSequence(rawValue: UInt64(bitPattern: row.high)),
                    minimumTime: row.minimumTime, maximumTime: row.maximumTime, firstStream: UInt32(row.firstStream),
                    lastStream: UInt32(row.lastStream), followsPrevious: row.followsPrevious != 0))
        }
        return headers
    }
}
