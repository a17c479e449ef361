import OrielStore
import OrielThreads
import Synchronization

/// The threads on which queries run, and the memory that they share. Own threads, so that decoding never holds up the cooperative pool. Made and stopped by the store.
final class ScanWorkers: Sendable {
    private let queue: BoundedQueue<@Sendable () -> Void>
    private let threads: [OwnThread]
    let memory: QueryMemory

    /// - Parameters:
    ///   - count: How many threads; the number of cores is right.
    ///   - memory: What all queries may use together.
    ///   - capacity: How many pieces of work may wait; beyond it queries are refused as overloaded.
    init(count: Int, memory: QueryMemory, capacity: Int = 4096) throws(ThreadError) {
        self.memory = memory
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

    deinit {
        // A store that was dropped without being closed: the threads end by themselves.
        queue.close()
    }

    /// How many threads there are.
    var count: Int { threads.count }

    /// Does `work` with each of some items, on this thread and on those of the pool that are free. To be called on a thread of the pool: it waits for others only
    /// while they work on an item, never for a free one.
    ///
    /// - Returns: the results in the order of the items.
    func all<Item: Sendable, Value: Sendable>(_ items: [Item], _ work: @escaping @Sendable (Item) -> Value) -> [Value] {
        guard items.count > 1, count > 1 else { return items.map(work) }
        let shared = SharedItems(items, work)
        for _ in 0..<min(items.count, count) - 1 {
            do {
                try queue.put { shared.run() }
            } catch {
                // The queue is full or closed: this thread does it all.
                break
            }
        }
        shared.run()
        return shared.results()
    }

    /// Does `work` on a thread of the pool, once there is room for the query. Cancelling the task cancels `query`, which the work tests.
    func run<Value: Sendable>(
        _ query: QueryBudget, _ work: @escaping @Sendable () throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        try await query.admit()
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

/// Items that several threads take from until none is left.
private final class SharedItems<Item: Sendable, Value: Sendable>: Sendable {
    private let items: [Item]
    private let work: @Sendable (Item) -> Value
    private let next = Atomic(0)
    private let values: Mutex<[Int: Value]>
    private let signal = ThreadSignal()

    init(_ items: [Item], _ work: @escaping @Sendable (Item) -> Value) {
        self.items = items
        self.work = work
        values = Mutex([:])
    }

    func run() {
        while true {
            let index = next.add(1, ordering: .relaxed).oldValue
            guard index < items.count else { return }
            let value = work(items[index])
            values.withLock { $0[index] = value }
            signal.notify()
        }
    }

    /// Waits for what other threads still work on.
    func results() -> [Value] {
        while true {
            let ticket = signal.ticket
            let done = values.withLock { $0.count == items.count ? $0 : nil }
            if let done { return items.indices.compactMap { done[$0] } }
            signal.wait(after: ticket)
        }
    }
}
