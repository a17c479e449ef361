import Glibc
import OrielThreads
import Synchronization
import Testing

@testable import OrielSQLite

struct ThreadTests {
    @Test func aThreadHasItsNameAndNiceness() throws {
        // The tests may run under nice(1) themselves.
        let own = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
        let found = Mutex<(name: String, nice: Int32)?>(nil)
        let thread = try OwnThread(name: "oriel test", nice: 5) {
            do {
                let name = try threadName()
                found.withLock { $0 = (name, getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)) }
            } catch {
                Issue.record(error)
            }
        }
        thread.join()
        let (name, nice) = try #require(found.withLock { $0 })
        #expect(name == "oriel test")
        #expect(nice == min(19, own + 5))
    }

    @Test func theQueueIsBoundedByWeightAndGroups() throws {
        let queue = BoundedQueue<Int>(capacity: 10)
        try queue.put(1, weight: 99)
        #expect(throws: BoundedQueue<Int>.Refusal.full) { try queue.put(2, weight: 1) }
        #expect(queue.take(weight: 5) == [1])
        try queue.put(3, weight: 3)
        try queue.put(4, weight: 3)
        try queue.put(5, weight: 3)
        #expect(queue.take(weight: 6) == [3, 4])
        #expect(queue.take(weight: 6) == [5])
        #expect(queue.take(weight: 6, timeout: .milliseconds(1)) == [])
        queue.close()
        #expect(throws: BoundedQueue<Int>.Refusal.closed) { try queue.put(6) }
        #expect(queue.take(weight: 1) == nil)
    }

    @Test func nothingIsLostBetweenManyProducersAndOneConsumer() throws {
        let queue = BoundedQueue<Int>(capacity: .max)
        let sum = Atomic(0)
        let consumer = try OwnThread(name: "consumer") {
            while let taken = queue.take(weight: 7) {
                sum.add(taken.reduce(0, +), ordering: .relaxed)
            }
        }
        let producers = try (0..<4).map { producer in
            try OwnThread(name: "producer") {
                for number in 0..<2000 {
                    do {
                        try queue.put(producer * 10_000 + number)
                    } catch {
                        Issue.record(error)
                    }
                }
            }
        }
        for producer in producers {
            producer.join()
        }
        queue.close()
        consumer.join()
        #expect(sum.load(ordering: .relaxed) == (0..<4).reduce(0) { $0 + $1 * 10_000 * 2000 + 2000 * 1999 / 2 })
    }
}

/// The name of the calling thread.
private func threadName() throws -> String {
    let layer = POSIXFileLayer()
    let file = try layer.open("/proc/thread-self/comm", .readOnly)
    defer { layer.closeAfterFailure(file) }
    var buffer = [UInt8](repeating: 0, count: 32)
    var span = buffer.mutableSpan
    let count = try layer.read(file, at: 0, into: &span)
    return String(decoding: buffer.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
}
