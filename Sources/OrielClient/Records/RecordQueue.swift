public import OrielTelemetry
import OrielThreads
import Synchronization

/// Log records or spans on their way to an exporter: encoded by the threads that make them, bounded in bytes.
///
/// Each group of threads writes into a chunk of its own, and into another group's while a second thread of the group is at it, so threads hardly ever wait for each other;
/// full chunks, and at each delivery the others too, go to the delivery thread by exchanging arrays. No lock is held while anything else than memory is touched. Where there
/// is no room a record is dropped and counted.
public final class RecordQueue: Sendable {
    /// Bytes of a chunk. A larger record has one for itself.
    static let chunkBytes = 16 << 10
    /// Bytes of the largest record.
    static let maximumRecordBytes = 1 << 20
    /// Bytes before each record: its scope and its length.
    static let headerBytes = 8
    /// What an array takes beside its elements, about.
    private static let arrayBytes = 64
    /// Emptied chunks that are kept.
    private static let spareChunks = 64

    /// Encoded records, one behind the other.
    struct Chunk: Sendable {
        var bytes: [UInt8] = []
        var count = 0
        /// What was taken from the budget.
        var reserved = 0
    }

    private struct Shard {
        var chunk: Chunk?
        /// Full ones.
        var sealed: [Chunk] = []
        /// Records in all of them.
        var waiting: UInt64 = 0
        var emitted: UInt64 = 0
        var droppedFull: UInt64 = 0
        var droppedLarge: UInt64 = 0
        var droppedClosed: UInt64 = 0
        var isClosed = false
    }

    public let signal: ExportSignal
    private let scopeTable: ScopeTable
    private let budget: ByteBudget
    private let wake: ThreadSignal
    private let shards = MutexRow(count: ThreadNumber.groupCount, Shard())
    private let threads = ThreadNumber()
    private let scratch = RecordScratch()
    /// Memory of chunks that were taken.
    private let spare = Mutex<[[UInt8]]>([])
    /// Bytes of full chunks that were not taken yet.
    private let sealedBytes = Atomic<Int>(0)
    /// Whether there may be records that the delivery thread does not know of.
    private let isStirred = Atomic<Bool>(false)
    /// Whether a record was dropped for want of room since the last ``drain()``.
    private let isPressed = Atomic<Bool>(false)
    /// Bytes of full chunks from which on the delivery thread is woken.
    private let wakeBytes: Int
    /// Takes records that come after the end; without it they are dropped.
    private let direct: DirectDelivery?

    /// - Parameters:
    ///   - budget: may be shared with other queues.
    ///   - wake: is notified when the first record comes, and when there are `wakeBytes` of them.
    ///   - direct: takes records that come after the end; `nil` to drop them.
    init(signal: ExportSignal, scopes: ScopeTable, budget: ByteBudget, wake: ThreadSignal, wakeBytes: Int, direct: DirectDelivery? = nil) {
        self.direct = direct
        self.signal = signal
        scopeTable = scopes
        self.budget = budget
        self.wake = wake
        self.wakeBytes = wakeBytes
    }

    /// A scope for records; to be asked for once and kept. A pipeline has up to 4,095 of them; others are nameless.
    public func scope(_ scope: InstrumentationScope) -> RecordScope { scopeTable.scope(scope) }

    /// Requests for scopes, of all queues that share them, that were answered with the nameless one.
    var namelessScopes: UInt64 { scopeTable.refused }

    // MARK: Adding

    /// Adds a record.
    ///
    /// - Parameter encode: writes the fields of an OTLP `LogRecord` or `Span`. It is called once, without a lock, and may call anything.
    /// - Returns: whether there was room.
    @discardableResult
    @inline(__always)
    public func add(_ scope: RecordScope, _ encode: (inout WireWriter) -> Void) -> Bool {
        var writer = WireWriter(bytes: scratch.take())
        encode(&writer)
        let isAdded = append(writer.bytes.span, scope)
        scratch.put(&writer.bytes)
        return isAdded
    }

    /// Adds a record that is encoded already, for another queue.
    ///
    /// - Returns: whether there was room.
    @discardableResult
    public func add(_ scope: RecordScope, encoded record: Span<UInt8>) -> Bool { append(record, scope) }

    private func append(_ record: Span<UInt8>, _ scope: RecordScope) -> Bool {
        var isAdded = false
        var isFull = false
        var isLate = false
        shards.withFreeLock(from: threads.group) { shard in
            shard.emitted &+= 1
            if shard.isClosed {
                if direct == nil { shard.droppedClosed &+= 1 } else { isLate = true }
            } else if record.count > Self.maximumRecordBytes {
                shard.droppedLarge &+= 1
            } else if makeRoom(record.count + Self.headerBytes, &shard) {
                shard.chunk?.append(record, scope: scope.number)
                shard.waiting += 1
                isAdded = true
            } else {
                shard.droppedFull &+= 1
                isFull = true
            }
        }
        if isLate { return sendLate(record, scope) }
        // The first record sets the delivery's clock going.
        if isAdded, !isStirred.load(ordering: .relaxed), !isStirred.exchange(true, ordering: .acquiringAndReleasing) { wake.notify() }
        // So does the first one without room: it may be these very chunks that fill it.
        if isFull, !isPressed.load(ordering: .relaxed), !isPressed.exchange(true, ordering: .acquiringAndReleasing) { wake.notify() }
        return isAdded
    }

    private func sendLate(_ record: Span<UInt8>, _ scope: RecordScope) -> Bool {
        if let direct, direct.send(record, scope, of: signal) { return true }
        shards.withFreeLock(from: threads.group) { $0.droppedClosed &+= 1 }
        return false
    }

    /// Waits until what was added before has been sent, for a moment at most, where that is worth a wait: on its way to a console. Elsewhere it does nothing.
    package func settle() {
        direct?.settle()
    }

    /// Sees to it that the shard has a chunk with room for a record.
    private func makeRoom(_ count: Int, _ shard: inout Shard) -> Bool {
        if let chunk = shard.chunk {
            if chunk.bytes.count + count <= chunk.reserved { return true }
            seal(chunk, &shard)
        }
        let reserved = max(Self.chunkBytes, count)
        guard budget.reserve(reserved) else { return false }
        // Not worth a wait.
        var bytes = spare.withLockIfAvailable { $0.popLast() }.flatMap { $0 } ?? []
        bytes.reserveCapacity(reserved)
        shard.chunk = Chunk(bytes: bytes, count: 0, reserved: reserved)
        return true
    }

    private func seal(_ chunk: Chunk, _ shard: inout Shard) {
        let bytes = chunk.bytes.count
        shard.sealed.append(chunk)
        shard.chunk = nil
        let total = sealedBytes.wrappingAdd(bytes, ordering: .relaxed).newValue
        if total >= wakeBytes, total - bytes < wakeBytes { wake.notify() }
    }

    // MARK: Taking

    /// Bytes of full chunks.
    var waitingBytes: Int { sealedBytes.load(ordering: .relaxed) }

    /// Whether records came since the last ``drain()``.
    var hasRecords: Bool { isStirred.load(ordering: .relaxed) }

    /// Whether records were dropped for want of room since the last ``drain()``.
    var isShortOfRoom: Bool { isPressed.load(ordering: .relaxed) }

    /// All records that were added before the call. Their bytes stay taken from the budget.
    func drain() -> [Chunk] { take(closing: false) }

    /// As ``drain()``; records that come later are dropped.
    func close() -> [Chunk] { take(closing: true) }

    private func take(closing: Bool) -> [Chunk] {
        // Whoever adds from now on says so again.
        isStirred.store(false, ordering: .sequentiallyConsistent)
        isPressed.store(false, ordering: .sequentiallyConsistent)
        var chunks: [Chunk] = []
        var sealed = 0
        for group in 0..<shards.count {
            let (full, open) = shards.withLock(group) { shard in
                defer {
                    shard.sealed = []
                    shard.chunk = nil
                    shard.waiting = 0
                    if closing { shard.isClosed = true }
                }
                return (shard.sealed, shard.chunk)
            }
            sealed += full.reduce(0) { $0 + $1.bytes.count }
            chunks += full
            if let open { chunks.append(open) }
        }
        sealedBytes.wrappingSubtract(sealed, ordering: .relaxed)
        return chunks
    }

    /// Gives back the memory that a chunk does not need, if that is much: it may wait long.
    func shrink(_ chunk: inout Chunk) {
        let needed = chunk.bytes.count + Self.arrayBytes
        guard needed < chunk.reserved / 2 else { return }
        var copy: [UInt8] = []
        copy.reserveCapacity(chunk.bytes.count)
        copy.append(chunk.bytes.span)
        let shrunk = Chunk(bytes: copy, count: chunk.count, reserved: needed)
        budget.release(chunk.reserved - needed)
        recycle(&chunk)
        chunk = shrunk
    }

    /// Keeps a chunk's memory whose records were copied. What it had taken from the budget is the caller's to give back.
    ///
    /// - Parameter chunk: must be the bytes' only owner, since an array that is shared would be copied instead of kept.
    func recycle(_ chunk: inout Chunk) {
        var bytes: [UInt8] = []
        swap(&bytes, &chunk.bytes)
        guard (Self.chunkBytes...2 * Self.chunkBytes).contains(bytes.capacity) else { return }
        bytes.removeAll(keepingCapacity: true)
        spare.withLock { spare in
            if spare.count < Self.spareChunks { spare.append(bytes) }
        }
    }

    // MARK: Counting

    /// What was added and what was dropped for want of room, since the beginning, and what waits to be taken.
    struct Counts: Sendable {
        var waiting: UInt64 = 0
        var emitted: UInt64 = 0
        var droppedFull: UInt64 = 0
        var droppedLarge: UInt64 = 0
        /// Came after the end.
        var droppedClosed: UInt64 = 0
    }

    var counts: Counts {
        var counts = Counts()
        for group in 0..<shards.count {
            shards.withLock(group) { shard in
                counts.waiting += shard.waiting
                counts.emitted &+= shard.emitted
                counts.droppedFull &+= shard.droppedFull
                counts.droppedLarge &+= shard.droppedLarge
                counts.droppedClosed &+= shard.droppedClosed
            }
        }
        return counts
    }
}

extension RecordQueue.Chunk {
    mutating func append(_ record: Span<UInt8>, scope: UInt32) {
        let header = (UInt64(record.count) << 32 | UInt64(scope)).littleEndian
        let total = RecordQueue.headerBytes + record.count
        bytes.append(addingCapacity: total) { output in
            // Both pointers are used within the closures only, and `output` has room for what is written.
            unsafe output.withUnsafeMutableBufferPointer { buffer, initializedCount in
                let target = UnsafeMutableRawBufferPointer(buffer)
                unsafe target.storeBytes(of: header, as: UInt64.self)
                unsafe record.withUnsafeBytes { unsafe UnsafeMutableRawBufferPointer(rebasing: target[RecordQueue.headerBytes...]).copyMemory(from: $0) }
                initializedCount = total
            }
        }
        count += 1
    }

    /// Calls `body` with the scope and the bytes' place of each record.
    func forEachRecord(_ body: (UInt32, Range<Int>) -> Void) {
        let content = bytes.span
        var offset = 0
        while offset + RecordQueue.headerBytes <= content.count {
            let scope = content.littleEndian(at: offset)
            let length = Int(content.littleEndian(at: offset + 4))
            let start = offset + RecordQueue.headerBytes
            body(scope, start..<(start + length))
            offset = start + length
        }
    }
}

extension Span<UInt8> {
    fileprivate func littleEndian(at offset: Int) -> UInt32 {
        UInt32(self[offset]) | UInt32(self[offset + 1]) << 8 | UInt32(self[offset + 2]) << 16 | UInt32(self[offset + 3]) << 24
    }
}
