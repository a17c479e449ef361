import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Synchronization
import Testing

@testable import OrielSQLite

/// Streams come and go for ever: the store forgets those whose rows are in files, and finds them all.
struct StreamChurnTests {
    private static let streamsPerGeneration = 300
    private static let dayLength: Int64 = 86_400_000_000_000

    /// Log records and samples of streams that no other generation has, one row each.
    private static func request(generation: Int, streams: Range<Int> = 0..<streamsPerGeneration) -> WriteSet {
        var logs = LogBatch()
        var samples = SampleBatch()
        let day = 20_000 + Int64(generation / 4)
        for number in streams {
            let pod = "pod-\(generation)-\(number)"
            let resource = Resource(attributes: [
                Attribute("service.name", .string("sandbox")), Attribute("pod", .string(pod)), Attribute("generation", .string("\(generation)")),
            ])
            logs.streamIndexes.append(UInt32(logs.streams.intern(.scope(resource, InstrumentationScope(name: "test")))))
            logs.times.append(day * dayLength + Int64(generation * 1000 + number))
            logs.traceIDs.append(TraceID(high: 0, low: 1))
            logs.spanIDs.append(1)
            logs.severityNumbers.append(9)
            logs.severityTexts.append("INFO")
            logs.bodyTypes.append(Int64(AttributeType.string.rawValue))
            logs.bodies.append(pod)
            logs.observedTimes.append(0)
            logs.timeOrigins.append(0)
            logs.flags.append(0)
            logs.droppedAttributesCounts.append(0)
            logs.eventNames.append("")
            logs.attributes.appendRow([])
            let labels = [Label("__name__", "uptime"), Label("pod", pod), Label("generation", "\(generation)")]
            samples.streamIndexes.append(UInt32(samples.streams.intern(.series(unsorted: labels))))
            samples.times.append(day * dayLength / 1_000_000 + Int64(generation * 1000 + number))
            samples.values.append(Double(generation * 1000 + number))
        }
        return WriteSet(batches: [logs.columnBatch, samples.columnBatch])
    }

    private static var options: StoreOptions {
        var options = StoreRows.options
        options.maximumStreams = 1000
        return options
    }

    /// Checks that every stream of some generations is found by its labels, and of every fifth and the last generation the rows by them.
    private func check(_ store: SQLiteStore, generations: Range<Int>, _ note: Comment) async throws {
        let snapshot = try store.snapshot()
        for signal in [Signal.logs, .samples] {
            let names = Set(try await snapshot.labelValues("pod", signal, matching: [], in: .all))
            #expect(names.count == generations.count * Self.streamsPerGeneration, note)
            let values = try await snapshot.labelValues("generation", signal, matching: [], in: .all)
            #expect(Set(values) == Set(generations.map { "\($0)" }), note)
            for generation in generations where generation % 5 == 0 || generation + 1 == generations.upperBound {
                let matcher = StreamMatcher("generation", .equal, "\(generation)")
                let streams = try await snapshot.streams(signal, matching: [matcher], in: .all, limit: .max)
                #expect(streams.count == Self.streamsPerGeneration, note)
                let cursor = try snapshot.scan(ScanPlan(signal: signal, streamMatchers: [matcher]))
                var pods: Set<String> = []
                var rowCount = 0
                while let batch = try await cursor.next() {
                    rowCount += batch.count
                    for row in 0..<batch.count { pods.insert(try batch.streams.decoded(Int(batch.streamIndexes[row])).text(of: "pod") ?? "") }
                }
                #expect(rowCount == Self.streamsPerGeneration && pods.count == rowCount, note)
                #expect(pods.allSatisfy { $0.hasPrefix("pod-\(generation)-") }, note)
            }
        }
    }

    /// Twenty generations pass through a store that has room for less than two, and after each start again.
    @Test func churnIsNeverRefused() async throws {
        let folder = try TemporaryFolder()
        var store = try await SQLiteStore.open(folder: folder.path, options: Self.options)
        var labelBytes: [Int] = []
        for generation in 0..<20 {
            for part in [0..<100, 100..<300] {
                let receipt = try await store.append(Self.request(generation: generation, streams: part))
                #expect(receipt.rejected.isEmpty, "generation \(generation)")
            }
            try await store.flush()
            #expect(store.core.registry.usage.countedStreams <= 1000)
            labelBytes.append(try store.core.perform { try $0.hot.entries(.streams).reduce(0) { $0 + $1.byteCount } })
            if generation == 9 {
                try await store.stop(flushing: false)
                store = try await SQLiteStore.open(folder: folder.path, options: Self.options)
            }
            if generation % 7 == 0 { _ = try await store.snapshot().labelValues("pod", .samples, matching: [], in: .all) }
        }
        #expect(store.core.counters.current.registryExchanges >= 5)
        // hot.db has the labels of the last few generations, not of all.
        let largest = try #require(labelBytes.max())
        #expect(largest <= labelBytes[0] * 6, "\(labelBytes)")
        try await check(store, generations: 0..<20, "open")
        try await store.stop(flushing: false)

        store = try await SQLiteStore.open(folder: folder.path, options: Self.options)
        try await check(store, generations: 0..<20, "after a restart")
        #expect(try await store.append(Self.request(generation: 20)).rejected.isEmpty)
        try await store.flush()
        #expect(try await store.append(Self.request(generation: 21)).rejected.isEmpty)
        try await store.close()

        let layer = POSIXFileLayer()
        for name in try layer.list(folder.path) where name.hasPrefix("hot-") { try layer.unlink(folder.path + "/" + name) }
        store = try await SQLiteStore.open(folder: folder.path, options: Self.options)
        #expect(store.statistics.recovery.isRebuilt)
        try await check(store, generations: 0..<22, "without hot.db")
        for generation in 22..<26 {
            #expect(try await store.append(Self.request(generation: generation)).rejected.isEmpty, "generation \(generation)")
            try await store.flush()
        }
        try await check(store, generations: 0..<26, "at the end")
        try await store.close()
    }

    /// A store that maintains itself flushes when streams with rows in memory leave no room for others.
    @Test func roomIsMadeByAFlush() async throws {
        let folder = try TemporaryFolder()
        var options = Self.options
        options.maintainsItself = true
        let store = try await SQLiteStore.open(folder: folder.path, options: options)
        #expect(try await store.append(Self.request(generation: 0)).rejected.isEmpty)
        #expect(try await store.append(Self.request(generation: 1)).rejected.isEmpty)
        try await check(store, generations: 0..<2, "after a flush")
        try await store.close()
    }

    /// Rows of streams that have no room while all others are in use are refused, and taken after a flush.
    @Test func streamsInUseAreNotForgotten() async throws {
        let folder = try TemporaryFolder()
        let store = try await SQLiteStore.open(folder: folder.path, options: Self.options)
        #expect(try await store.append(Self.request(generation: 0)).rejected.isEmpty)
        let receipt = try await store.append(Self.request(generation: 1))
        #expect(receipt.rejected.map(\.reason) == [.tooManyStreams])
        #expect(receipt.rejected.map(\.count) == [200])
        try await store.flush()
        #expect(try await store.append(Self.request(generation: 2)).rejected.isEmpty)
        try await store.close()
    }

    /// Snapshots, tails and requests that began before streams were forgotten go on as if nothing had happened.
    @Test func whatBeganBeforeGoesOn() async throws {
        let folder = try TemporaryFolder()
        let store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        _ = try await store.append(StoreRows.request(0))
        try await store.flush()
        _ = try await store.append(StoreRows.request(1))
        let position = try await store.changes(after: nil, signal: .logs, deadline: .now).position
        _ = try await store.append(StoreRows.request(2))
        let before = try store.snapshot()
        let cursor = try before.scan(ScanPlan(signal: .samples, order: .streamThenTime))
        let first = try #require(try await cursor.next())
        #expect(await store.forgetStreams(.everything))
        _ = try await store.append(StoreRows.request(3))
        try await store.flush()
        #expect(await store.forgetStreams(.everything))
        #expect(store.core.registry.usage.countedStreams == 0)

        var rowCount = first.count
        while let batch = try await cursor.next() { rowCount += batch.count }
        #expect(rowCount == 6)
        let jobs = try await before.labelValues("job", .samples, matching: [], in: .all)
        #expect(jobs == ["0", "1", "2"])
        let changes = try await store.changes(after: position, signal: .logs, deadline: .now)
        #expect(!changes.hasGap)
        let services = try changes.batches.map { batch in try batch.streams.decoded(Int(batch.streamIndexes[0])).text(of: "service.name") }
        #expect(services == ["service 2", "service 0"])
        let found = try await StoreRows.contents(of: store)
        #expect(found.logs == (0..<4).flatMap { StoreRows.expected($0) } && found.samples == found.logs)
        try await store.close()
    }

    /// Nothing holds the streams that were forgotten, not files that were queried, merged or are pinned, nor tails.
    @Test func forgottenStreamsLeaveMemory() async throws {
        let folder = try TemporaryFolder()
        let store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        for number in 0..<8 {
            _ = try await store.append(StoreRows.request(number, day: 20_000 + Int64(number % 2)))
            if number % 2 == 1 { try await store.flush() }
            if number == 3 { _ = try await store.pin(PinSelection(signals: [.logs], range: .all), note: "") }
            _ = try await StoreRows.contents(of: store)
            weak let former = store.core.registry
            #expect(former != nil)
            #expect(await store.forgetStreams(.everything))
            let deadline = Timestamp.now.advanced(by: 10_000_000_000)
            while former != nil, Timestamp.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
            #expect(former == nil, "after request \(number)")
        }
        let found = try await StoreRows.contents(of: store)
        #expect(found.logs == (0..<8).flatMap { StoreRows.expected($0) } && found.samples == found.logs)
        try await store.close()
    }

    private final class Flag: Sendable {
        let isSet = Atomic(false)
    }

    /// Requests come from all sides while streams are forgotten again and again.
    @Test func requestsAndForgettingDoNotDisturbEachOther() async throws {
        let folder = try TemporaryFolder()
        let store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        let isDone = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<4 {
                group.addTask {
                    for number in 0..<40 { _ = try await store.append(StoreRows.request(lane * 40 + number, day: 20_000 + Int64(number % 3))) }
                }
            }
            let forgetting = Task {
                var count = 0
                while !isDone.isSet.load(ordering: .relaxed) {
                    _ = await store.forgetStreams(.everything)
                    count += 1
                    if count % 8 == 0 { try await store.flush() }
                    _ = try await StoreRows.contents(of: store)
                }
            }
            try await group.waitForAll()
            isDone.isSet.store(true, ordering: .relaxed)
            try await forgetting.value
        }
        let expected = (0..<160).flatMap { StoreRows.expected($0) }
        let found = try await StoreRows.contents(of: store)
        #expect(found.logs == expected && found.samples == expected)
        try await store.stop(flushing: false)
        // Redo of many registries.
        let again = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        let replayed = try await StoreRows.contents(of: again)
        #expect(replayed.logs == expected && replayed.samples == expected)
        try await again.close()
    }

    @Test func sumsOfDeltasGoOn() async throws {
        let folder = try TemporaryFolder()
        let store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        func request(_ number: Int64) -> WriteSet {
            var samples = SampleBatch()
            for name in ["a", "b"] {
                samples.streamIndexes.append(UInt32(samples.streams.intern(.series([Label("__name__", name)]))))
                samples.times.append(1_000_000 + number * 1000)
                samples.values.append(1)
            }
            var deltas = DeltaBatch()
            deltas.samples = samples
            deltas.sampleStartTimes = Array(repeating: 1_000_000 + (number - 1) * 1000, count: 2)
            return WriteSet(deltas: deltas)
        }
        for number in 0..<6 {
            // Others come first, so that references differ.
            _ = try await store.append(StoreRows.request(number))
            _ = try await store.append(request(Int64(number)))
            if number % 2 == 1 { try await store.flush() }
            #expect(await store.forgetStreams(.everything))
            #expect(store.core.registry.usage.countedStreams >= 2)
        }
        for name in ["a", "b"] {
            let plan = ScanPlan(signal: .samples, streamMatchers: [StreamMatcher("__name__", .equal, name)], order: .streamThenTime)
            let cursor = try store.snapshot().scan(plan)
            var values: [Double] = []
            while let batch = try await cursor.next() { values += try #require(SampleBatch(batch)).values }
            #expect(values == [0, 1, 2, 3, 4, 5, 6])
        }
        try await store.close()
    }

    /// What queries read of closed files does not count, and leaves memory again.
    @Test func streamsOfFilesAreACache() async throws {
        let folder = try TemporaryFolder()
        var store = try await SQLiteStore.open(folder: folder.path, options: StoreRows.options)
        for generation in 0..<3 {
            _ = try await store.append(Self.request(generation: generation))
            try await store.flush()
        }
        try await store.close()
        var options = Self.options
        options.maintainsItself = true
        options.streamCacheBytes = 10_000
        store = try await SQLiteStore.open(folder: folder.path, options: options)
        #expect(try await store.append(StoreRows.request(0)).rejected.isEmpty)
        let values = try await store.snapshot().labelValues("pod", .samples, matching: [], in: .all)
        #expect(values.count == 900)
        let deadline = Timestamp.now.advanced(by: 90_000_000_000)
        while store.core.registry.usage.otherBytes > 10_000, Timestamp.now < deadline { try await Task.sleep(for: .milliseconds(10)) }
        #expect(store.core.registry.usage.otherBytes <= 10_000)
        #expect(store.core.registry.usage.countedStreams == 2)
        try await check(store, generations: 0..<3, "read again")
        try await store.close()
    }
}
