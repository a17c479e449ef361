import OrielStore

/// The threads on which queries run: own ones, so that decoding never holds up the cooperative pool. Made and stopped by the store.
final class ScanWorkers: Sendable {
    private let queue: BoundedQueue<@Sendable () -> Void>
    private let threads: [OwnThread]

    /// - Parameters:
    ///   - count: How many threads; the number of cores is right.
    ///   - capacity: How many pieces of work may wait; beyond it queries are refused as overloaded.
    init(count: Int, capacity: Int = 4096) throws(ThreadError) {
        let queue = BoundedQueue<@Sendable () -> Void>(capacity: capacity)
        self.queue = queue
        var threads: [OwnThread] = []
        for index in 0..<max(1, count) {
            threads.append(
                try OwnThread(name: "oriel-scan-\(index)", nice: 5) {
                    while let work = queue.take(weight: 1) {
                        for item in work { item() }
                    }
                })
        }
        self.threads = threads
    }

    /// How many threads there are.
    var count: Int { threads.count }

    deinit {
        // A store that was dropped without being closed: the threads end by themselves.
        queue.close()
    }

    /// Does `work` on a thread of the pool. Cancelling the task cancels `query`, which the work tests.
    func run<Value: Sendable>(
        _ query: QueryBudget, _ work: @escaping @Sendable () throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let result: Result<Value, StoreError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                do throws(BoundedQueue<@Sendable () -> Void>.Refusal) {
                    try queue.put {
                        do throws(StoreError) {
                            continuation.resume(returning: .success(try work()))
                        } catch {
                            continuation.resume(returning: .failure(error))
                        }
                    }
                } catch {
                    continuation.resume(returning: .failure(error == .closed ? .closed : .overloaded(retryAfterSeconds: 1)))
                }
            }
        } onCancel: {
            query.cancel()
        }
        return try result.get()
    }

    /// Takes no more work, does what waits and ends the threads. Must not be called on one of them.
    func stop() {
        queue.close()
        for thread in threads { thread.join() }
    }
}
