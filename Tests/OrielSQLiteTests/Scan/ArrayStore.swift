@testable import OrielSQLite
import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Synchronization

/// A store that has the engine's snapshots but keeps its blocks in ``ArrayContainer``s: what the scan is tested on, apart from files.
///
/// Flushing seals the chunks of some signals and merges neighbouring containers at random.
final class ArrayStore: TelemetryStore, MetricFamilySource {
    final class Place: StoreFactory {
        let state: Mutex<PublishedState>
        let counters = Mutex(Counters())
        let registry = StreamRegistry(secret: StreamSecret(high: 1, low: 2))
        let seed: UInt64

        init(seed: UInt64) {
            self.seed = seed
            state = Mutex(PublishedState(registry: registry))
            counters.withLock { $0.random = SplitMix64(seed: seed) }
        }

        func open() async throws -> any TelemetryStore {
            try ArrayStore(place: self)
        }
    }

    struct Counters: Sendable {
        var commit: UInt32 = 0
        var ords: [Signal: UInt64] = [:]
        var families: [String: MetricFamily] = [:]
        var receipts: [RequestKey: Receipt] = [:]
        var deletions: [DeletionStatus] = []
        var random = SplitMix64(seed: 0)
    }

    let place: Place
    let workers: ScanWorkers
    let options = StoreOptions()

    init(place: Place) throws {
        self.place = place
        workers = try ScanWorkers(count: 2, memory: QueryMemory(limit: 256 << 20))
    }

    func append(_ writeSet: WriteSet) async throws(StoreError) -> Receipt {
        place.counters.withLock { counters in
            if let key = writeSet.requestKey, var receipt = counters.receipts[key] {
                receipt.isDuplicate = true
                return receipt
            }
            counters.commit += 1
            let sequence = CommitSequence(start: 1, commit: counters.commit)
            for family in writeSet.families { counters.families[family.name] = family }
            var chunks: [BuilderChunk] = []
            for batch in writeSet.batches where batch.count > 0 {
                var batch = batch
                let references = place.registry.intern(batch.streams).compactMap { $0 }
                batch.streamIndexes = batch.streamIndexes.map { references[Int($0)] }
                batch.streams = StreamTable()
                if batch.signal.hasOrds {
                    let first = counters.ords[batch.signal, default: 0]
                    batch.ords = (0..<batch.count).map { first + UInt64($0) }
                    counters.ords[batch.signal] = first + UInt64(batch.count)
                }
                chunks.append(BuilderChunk(sequence: sequence, batch: batch))
            }
            place.state.withLock { state in
                state = state.replacing(sequence: sequence) { signals in
                    for chunk in chunks { signals[chunk.batch.signal].chunks.append(chunk) }
                }
            }
            let receipt = Receipt(sequence: sequence)
            if let key = writeSet.requestKey { counters.receipts[key] = receipt }
            return receipt
        }
    }

    func snapshot() throws(StoreError) -> any StoreSnapshot { engineSnapshot }

    var engineSnapshot: EngineSnapshot {
        EngineSnapshot(state: place.state.withLock { $0 }, registry: place.registry, options: options, workers: workers, familySource: self)
    }

    func families() throws(StoreError) -> [MetricFamily] {
        place.counters.withLock { $0.families.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) } }
    }

    func changes(after position: ChangePosition?, signal: Signal, deadline: Timestamp) async throws(StoreError) -> Changes {
        throw .unsupported("changes")
    }

    func retain(_ signal: Signal, from floor: Timestamp) async throws(StoreError) {
        place.state.withLock { state in
            state = state.replacing { $0[signal].floor = max($0[signal].floor, floor) }
        }
    }

    /// Takes the rows out at once.
    func delete(_ deletion: Deletion) async throws(StoreError) -> DeletionStatus {
        place.counters.withLock { counters in
            counters.commit += 1
            let tombstone = Tombstone(sequence: CommitSequence(start: 1, commit: counters.commit), time: .now, deletion: deletion)
            place.state.withLock { state in
                state = state.replacing(sequence: tombstone.sequence) { signals in
                    for signal in deletion.signals {
                        var filter = DeletionFilter([tombstone], signal: signal, registry: place.registry)
                        func remaining(_ chunk: BuilderChunk) -> BuilderChunk? {
                            guard let touch = filter.touch(chunk) else { return chunk }
                            let rows = filter.remaining(nil, of: chunk.batch, touch)
                            return rows.isEmpty ? nil : BuilderChunk(sequence: chunk.sequence, batch: chunk.batch.selecting(rows))
                        }
                        func rebuilt(_ containers: [any BlockContainer]) -> [any BlockContainer] {
                            containers.compactMap { $0 as? ArrayContainer }.compactMap { container in
                                remaining(container.chunk(sequence: container.high)).map {
                                    ArrayContainer([$0], signal: signal, registry: place.registry, rowsPerBlock: 100)
                                }
                            }
                        }
                        signals[signal].chunks = ChunkList(signals[signal].chunks.compactMap(remaining))
                        signals[signal].sealed = rebuilt(signals[signal].sealed)
                        signals[signal].segments = rebuilt(signals[signal].segments)
                    }
                }
            }
            let status = DeletionStatus(sequence: tombstone.sequence, deletion: deletion, time: tombstone.time, completed: tombstone.time)
            counters.deletions.append(status)
            return status
        }
    }

    func deletions() async throws(StoreError) -> [DeletionStatus] { place.counters.withLock { $0.deletions } }

    func flush() async throws(StoreError) {
        place.counters.withLock { counters in
            place.state.withLock { state in
                state = state.replacing { signals in
                    for signal in Signal.allCases {
                        if !counters.random.oneIn(3) { seal(&signals[signal], signal, &counters.random) }
                        if counters.random.oneIn(2) { merge(&signals[signal], signal, &counters.random) }
                    }
                }
            }
        }
    }

    private func seal(_ state: inout PublishedState.SignalState, _ signal: Signal, _ random: inout SplitMix64) {
        guard !state.chunks.isEmpty else { return }
        let container = ArrayContainer(state.chunks, signal: signal, registry: place.registry, rowsPerBlock: random.pick([1, 7, 100, 5_000]))
        state.chunks = []
        if random.oneIn(2) { state.sealed.append(container) } else { state.segments += state.sealed + [container]; state.sealed = [] }
    }

    /// Neighbouring files become one; their commits stay between those of the files around.
    private func merge(_ state: inout PublishedState.SignalState, _ signal: Signal, _ random: inout SplitMix64) {
        guard state.segments.count > 1 else { return }
        let first = random.below(state.segments.count - 1)
        let last = first + 1 + random.below(state.segments.count - first - 1)
        let inputs = state.segments[first...last].compactMap { $0 as? ArrayContainer }
        let merged = ArrayContainer(
            inputs.map { $0.chunk(sequence: $0.high) }, signal: signal, registry: place.registry, rowsPerBlock: random.pick([3, 50, 5_000]))
        state.segments.replaceSubrange(first...last, with: [merged])
    }

    func close() async throws(StoreError) { workers.stop() }

    var statistics: StoreStatistics { StoreStatistics() }
}
