import OrielStore

/// An open connection to a segment: used by one thread at a time, under a lock.
final class SegmentConnection {
    private let connection: Connection
    private let head: BlobReader
    private let directories: BlobReader
    private let streams: BlobReader
    private let traces: BlobReader
    private let columns: BlobReader
    private let filters: BlobReader

    init(_ path: String, fileSystem: SQLiteFileSystem) throws(SQLiteError) {
        connection = try Connection(path, .immutable, fileSystem: fileSystem)
        try connection.pragma("cache_size", "-64")
        head = connection.blobReader(table: "head", column: "v")
        directories = connection.blobReader(table: "blk", column: "dir")
        streams = connection.blobReader(table: "blk", column: "streams")
        traces = connection.blobReader(table: "blk", column: "traces")
        columns = connection.blobReader(table: "col", column: "data")
        filters = connection.blobReader(table: "flt", column: "data")
    }

    /// A blob of the file.
    enum Blob: Hashable {
        case head(SegmentFormat.Kind, Int)
        case directory(Int)
        case blockStreams(Int)
        case blockTraces(Int)
        case column(block: Int, column: Int)
        case filters(block: Int, column: Int)

        /// The block that it belongs to; `nil` for what is of the whole file.
        var block: Int? {
            switch self {
            case .head: nil
            case .directory(let block), .blockStreams(let block), .blockTraces(let block), .column(let block, _), .filters(let block, _): block
            }
        }
    }

    /// Replaces `buffer` by a blob, or by a part of it.
    ///
    /// - Returns: whether there is such a blob.
    func read(_ blob: Blob, _ range: Range<Int>?, into buffer: inout [UInt8]) throws(SQLiteError) -> Bool {
        let (reader, row): (BlobReader, Int64) =
            switch blob {
            case .head(let kind, let index): (head, kind.key(index))
            case .directory(let block): (directories, Int64(block))
            case .blockStreams(let block): (streams, Int64(block))
            case .blockTraces(let block): (traces, Int64(block))
            case .column(let block, let column): (columns, SegmentFormat.columnRow(block: block, column: column))
            case .filters(let block, let column): (filters, SegmentFormat.columnRow(block: block, column: column))
            }
        if let range { return try reader.read(row: row, offset: range.lowerBound, count: range.count, into: &buffer) }
        return try reader.read(row: row, limit: Page.maximumBytes, into: &buffer)
    }

    /// The greatest number of a block; `nil` when there is none.
    func lastBlock() throws(SQLiteError) -> Int? {
        let select = try connection.prepare("SELECT max(id) FROM blk")
        defer { select.reset() }
        guard try select.step(), let text = select.text(0) else { return nil }
        return Int(text)
    }

    /// SQLite's own check of its pages: `nil` when they are sound.
    func structuralDamage() throws(SQLiteError) -> String? {
        let answer = try connection.pragma("integrity_check(1)")
        return answer == "ok" ? nil : answer ?? "no answer"
    }
}
