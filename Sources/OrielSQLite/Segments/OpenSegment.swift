import OrielTelemetry
import Synchronization

/// A segment's open file and what is remembered of it, whichever references its streams have: shared by all ``Segment``s of the file.
final class OpenSegment: Sendable {
    let number = ContainerNumber.next()
    let cache: SegmentCache
    let sharedTraces = SharedTraces()
    let fences = Mutex<[TraceID]?>(nil)
    private let path: String
    private let fileSystem: SQLiteFileSystem
    private let openSegments: OpenSegments
    private let connection = Mutex<SegmentConnection?>(nil)

    init(_ path: String, _ fileSystem: SQLiteFileSystem, _ cache: SegmentCache, _ openSegments: OpenSegments) {
        self.path = path
        self.fileSystem = fileSystem
        self.cache = cache
        self.openSegments = openSegments
    }

    deinit {
        cache.remove(segment: number)
    }

    /// Closes the file until it is next needed.
    func closeConnection() {
        connection.withLock { $0 = nil }
    }

    /// Whether the file is open.
    var isConnected: Bool { connection.withLock { $0 != nil } }

    /// Runs `body` with the open connection, one thread at a time.
    func withConnection<Result: Sendable>(
        _ body: (SegmentConnection) throws(SQLiteError) -> Result
    ) throws(SQLiteError) -> Result {
        var isNew = false
        let result = try connection.withLock { slot throws(SQLiteError) -> Result in
            if let open = slot { return try body(open) }
            let open = try SegmentConnection(path, fileSystem: fileSystem)
            slot = open
            isNew = true
            return try body(open)
        }
        // Another segment's lock is taken only after this one's is free.
        if isNew { openSegments.opened(self)?.closeConnection() }
        return result
    }
}
