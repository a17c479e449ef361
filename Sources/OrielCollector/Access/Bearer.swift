import OrielStore
import Synchronization

/// A token in use: what its bearers may do, and what they are doing now.
final class Bearer: Sendable {
    let record: TokenRecord
    /// From the tokens file; only that can revoke it.
    let isFromFile: Bool
    private let requests = Atomic<Int>(0)
    private let queries = Atomic<Int>(0)
    private let bucket: Mutex<RateBucket>?
    private let revoked = Atomic<Bool>(false)

    init(_ record: TokenRecord, isFromFile: Bool) {
        self.record = record
        self.isFromFile = isFromFile
        bucket = record.limits.ingestBytesPerSecond.map { Mutex(RateBucket(perSecond: $0, now: .now)) }
    }

    var isRevoked: Bool { revoked.load(ordering: .acquiring) }

    func revoke() { revoked.store(true, ordering: .releasing) }

    /// Begins a request, unless a limit is reached.
    func begin(_ role: ListenerRole?) throws(HTTPProblem) {
        if role == .ingest, let delay = bucket?.withLock({ $0.delaySeconds(now: .now) }), delay > 0 {
            throw .limited("this token may send \(record.limits.ingestBytesPerSecond ?? 0) bytes a second", retryAfterSeconds: delay)
        }
        guard Self.enter(requests, record.limits.requests) else {
            throw .limited("this token may have \(record.limits.requests ?? 0) requests in progress", retryAfterSeconds: 1)
        }
        if role == .query, !Self.enter(queries, record.limits.queries) {
            requests.subtract(1, ordering: .relaxed)
            throw .limited("this token may have \(record.limits.queries ?? 0) queries in progress", retryAfterSeconds: 1)
        }
    }

    func end(_ role: ListenerRole?) {
        requests.subtract(1, ordering: .relaxed)
        if role == .query { queries.subtract(1, ordering: .relaxed) }
    }

    /// Charges telemetry that arrived.
    func charge(_ bytes: Int) {
        bucket?.withLock { $0.take(bytes, now: .now) }
    }

    private static func enter(_ count: borrowing Atomic<Int>, _ limit: Int?) -> Bool {
        let now = count.add(1, ordering: .relaxed).newValue
        if let limit, now > limit {
            count.subtract(1, ordering: .relaxed)
            return false
        }
        return true
    }
}
