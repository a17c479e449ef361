/// An own thread that does one piece of work after the other.
final class WorkerThread: Sendable {
    private let queue: BoundedQueue<@Sendable () -> Void>
    private let thread: OwnThread

    /// - Parameter capacity: How many pieces of work may wait.
    init(name: String, nice: Int32 = 0, capacity: Int = 64) throws(ThreadError) {
        let queue = BoundedQueue<@Sendable () -> Void>(capacity: capacity)
        self.queue = queue
        thread = try OwnThread(name: name, nice: nice) {
            while let work = queue.take(weight: 1) {
                for item in work {
                    item()
                }
            }
        }
    }

    /// Lets the thread do `work` when it has done all before.
    func submit(_ work: @escaping @Sendable () -> Void) throws(BoundedQueue<@Sendable () -> Void>.Refusal) {
        try queue.put(work)
    }

    /// Does `work` on the thread and resumes with what comes of it.
    func run<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try queue.put { continuation.resume(with: Swift.Result { try work() }) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    /// Takes no more work, does what waits and ends the thread. Must not be called on the thread itself.
    func stop() {
        queue.close()
        thread.join()
    }
}
