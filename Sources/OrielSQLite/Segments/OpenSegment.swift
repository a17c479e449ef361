import OrielTelemetry
import OrielThreads
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
    /// A connection of its own for each of the threads that commonly read one file at a time: a value whose pages two threads read in turns would be looked for
    /// again and again, and they would wait for each other.
    private let slots = (0..<4).map { _ in Slot() }

    private final class Slot: Sendable {
        let connection = Mutex<SegmentConnection?>(nil)
        /// The number of the thread that used it last; 0 for none.
        let user = Atomic<UInt>(0)
    }

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
    func closeConnections() {
        for slot in slots { slot.connection.withLock { $0 = nil } }
    }

    /// How many connections are open.
    var connectionCount: Int { slots.count { $0.connection.withLock { $0 != nil } } }

    /// Runs `body` with an open connection that no other thread uses meanwhile.
    func withConnection<Result: Sendable>(
        _ body: (SegmentConnection) throws(SQLiteError) -> Result
    ) throws(SQLiteError) -> Result {
        let thread = OwnThread.currentNumber
        while true {
            // Its own, else one that is nobody's, else one that is another's but free now; none is opened beside another while very many are open, unless all are in use.
            if let result = try attempt(ofUser: thread, thread, mayOpen: true, body) { return result }
            if let result = try attempt(ofUser: 0, thread, mayOpen: openSegments.hasRoom, body) { return result }
            if let result = try attempt(ofUser: nil, thread, mayOpen: false, body) { return result }
            if let result = try attempt(ofUser: nil, thread, mayOpen: true, body) { return result }
            slots[0].connection.withLock { _ in }
        }
    }

    /// Runs `body` with the first free connection that a thread used last, or any thread; `nil` when there is none.
    private func attempt<Result: Sendable>(
        ofUser user: UInt?, _ thread: UInt, mayOpen: Bool, _ body: (SegmentConnection) throws(SQLiteError) -> Result
    ) throws(SQLiteError) -> Result? {
        for slot in slots where user == nil || slot.user.load(ordering: .relaxed) == user {
            if let result = try attempt(slot, thread, mayOpen: mayOpen, body) { return result }
        }
        return nil
    }

    /// Runs `body` with the connection of a slot; `nil` when another thread uses it, or when it is closed and may not be opened.
    private func attempt<Result: Sendable>(
        _ slot: Slot, _ thread: UInt, mayOpen: Bool, _ body: (SegmentConnection) throws(SQLiteError) -> Result
    ) throws(SQLiteError) -> Result? {
        var isNew = false
        defer { if isNew { noteOpened() } }
        return try slot.connection.withLockIfAvailable { connection throws(SQLiteError) -> Result? in
            if connection == nil, !mayOpen { return nil }
            slot.user.store(thread, ordering: .relaxed)
            if let open = connection { return try body(open) }
            let open = try SegmentConnection(path, fileSystem: fileSystem)
            connection = open
            isNew = true
            return try body(open)
        } ?? nil
    }

    /// Another segment's locks are taken only while none of this one's is held.
    private func noteOpened() {
        openSegments.opened(self)?.closeConnections()
    }
}
