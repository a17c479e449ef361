public import OrielStore
public import OrielTelemetry
import Synchronization

/// The seam's meaning as plain code: all rows in memory, sorted anew for each question. What engines are compared with.
///
/// It takes any time, keeps rows for ever, and remembers every request key.
public final class ReferenceStore: TelemetryStore {
    /// The rows of one signal of one commit, with stream ids and row numbers. A reference, so that looking at a row copies no batch.
    final class Commit: Sendable {
        let sequence: CommitSequence
        let batch: ColumnBatch
        /// Of each row.
        let positions: [ScanPosition]

        init(sequence: CommitSequence, batch: ColumnBatch) {
            self.sequence = sequence
            self.batch = batch
            positions = (0..<batch.count).map { batch.position($0) }
        }
    }

    /// What a store keeps from one opening to the next.
    struct Contents: Sendable {
        var commits: [Commit] = []
        var families: [String: MetricFamily] = [:]
        var floors: [Signal: Timestamp] = [:]
        var receipts: [RequestKey: Receipt] = [:]
        var nextOrds: [Signal: UInt64] = [:]
        var start: UInt32 = 0
        var commit: UInt32 = 0
        var sums: [[UInt8]: DeltaSum] = [:]
        var statistics = StoreStatistics()
        var deletions: [DeletionStatus] = []
        var pins: [HeldPin] = []
        var lastPin: UInt64 = 0

        var sequence: CommitSequence { CommitSequence(start: start, commit: commit) }
    }

    /// A pin, and by signal the rows that were visible to it.
    struct HeldPin: Sendable {
        var pin: Pin
        var rows: [Signal: Set<HeldRow>] = [:]
    }

    /// A row as long as the store lives.
    struct HeldRow: Hashable, Sendable {
        var sequence: CommitSequence
        var position: ScanPosition
    }

    /// Where a stream of delta points stands.
    struct DeltaSum: Sendable {
        var value: Double
        var end: Int64
        var stamp: Int64
    }

    /// Rows that survive closing: a folder, so to speak.
    public final class Place: StoreFactory {
        let contents = Mutex(Contents())
        let streamID: @Sendable ([UInt8]) -> StreamID

        /// - Parameter streamID: The id of a stream by its descriptor's canonical bytes. Given, so that ties are ordered as in the engine that is compared.
        public init(streamID: @escaping @Sendable ([UInt8]) -> StreamID = Place.hash) {
            self.streamID = streamID
        }

        /// Ids without a secret.
        public static func hash(_ descriptor: [UInt8]) -> StreamID {
            StreamID(high: ByteHash.hash(descriptor.span, seed: 1), low: ByteHash.hash(descriptor.span, seed: 2))
        }

        public func open() async throws -> any TelemetryStore { openReference() }

        public func openReference() -> ReferenceStore {
            contents.withLock { contents in
                contents.start += 1
                contents.commit = 0
            }
            return ReferenceStore(place: self)
        }
    }

    private let place: Place
    private let isClosed = Mutex(false)

    init(place: Place) {
        self.place = place
    }

    private func checkOpen() throws(StoreError) {
        if isClosed.withLock({ $0 }) { throw .closed }
    }

    public func append(_ writeSet: WriteSet) async throws(StoreError) -> Receipt {
        try checkOpen()
        for batch in writeSet.batches where !batch.hasConsistentCounts { throw .malformedBatch(signal: batch.signal) }
        return place.contents.withLock { contents in
            if let key = writeSet.requestKey, var receipt = contents.receipts[key] {
                receipt.isDuplicate = true
                contents.statistics.duplicateRequests += 1
                return receipt
            }
            contents.commit += 1
            contents.statistics.commits += 1
            var receipt = Receipt(sequence: contents.sequence)
            for batch in writeSet.batches { store(batch, in: &contents) }
            let (samples, rejected) = sum(writeSet.deltas, in: &contents)
            store(samples.columnBatch, in: &contents)
            if rejected > 0 { receipt.rejected.append(Receipt.Rejection(signal: .samples, reason: .overlappingDelta, count: rejected)) }
            for family in writeSet.families { contents.families[family.name] = family }
            if let key = writeSet.requestKey { contents.receipts[key] = receipt }
            return receipt
        }
    }

    private func store(_ batch: ColumnBatch, in contents: inout Contents) {
        guard batch.count > 0 else { return }
        var batch = batch
        batch.streams.assign((0..<batch.streams.count).map { place.streamID(batch.streams.descriptor($0)) })
        if batch.signal.hasOrds {
            let first = contents.nextOrds[batch.signal, default: 0]
            batch.ords = (0..<batch.count).map { first + UInt64($0) }
            contents.nextOrds[batch.signal] = first + UInt64(batch.count)
        }
        contents.statistics.signals[batch.signal, default: .init()].appendedRows += batch.count
        contents.commits.append(Commit(sequence: contents.sequence, batch: batch))
    }

    /// Float deltas as absolute samples: a zero at the start of a new stream, then the sum at each point's end.
    private func sum(_ deltas: DeltaBatch, in contents: inout Contents) -> (samples: SampleBatch, rejected: Int) {
        var samples = SampleBatch()
        var rejected = 0
        func add(_ descriptor: [UInt8], _ time: Int64, _ value: Double) {
            samples.streamIndexes.append(UInt32(samples.streams.intern(descriptor)))
            samples.times.append(time)
            samples.values.append(value)
        }
        for row in 0..<deltas.samples.count {
            let descriptor = deltas.samples.streams.descriptor(Int(deltas.samples.streamIndexes[row]))
            let start = deltas.sampleStartTimes[row]
            let end = deltas.samples.times[row]
            var sum: DeltaSum
            if let known = contents.sums[descriptor] {
                if start != 0, start < known.end {
                    rejected += 1
                    continue
                }
                sum = known
                sum.stamp = max(known.stamp + 1, end)
                sum.end = max(known.end, end)
            } else {
                sum = DeltaSum(value: 0, end: end, stamp: end)
                if start != 0, start < end { add(descriptor, start, 0) }
            }
            sum.value += deltas.samples.values[row]
            contents.sums[descriptor] = sum
            add(descriptor, sum.stamp, sum.value)
        }
        return (samples, rejected)
    }

    public func snapshot() throws(StoreError) -> any StoreSnapshot {
        try checkOpen()
        return ReferenceSnapshot(contents: place.contents.withLock { $0 })
    }

    public func changes(after position: ChangePosition?, signal: Signal, deadline: Timestamp) async throws(StoreError) -> Changes {
        let start = position?.sequence ?? place.contents.withLock { $0.sequence }
        while true {
            try checkOpen()
            let (batches, end) = place.contents.withLock { contents in
                (contents.commits.filter { $0.sequence > start && $0.batch.signal == signal }.map(\.batch), contents.sequence)
            }
            if !batches.isEmpty || deadline <= Timestamp.now || Task.isCancelled {
                return Changes(batches: batches, position: ChangePosition(sequence: end), hasGap: false)
            }
            await Task.yield()
        }
    }

    public func retain(_ signal: Signal, from floor: Timestamp) async throws(StoreError) {
        try checkOpen()
        place.contents.withLock { contents in
            contents.floors[signal] = max(floor, contents.floors[signal] ?? floor)
        }
    }

    public func delete(_ deletion: Deletion) async throws(StoreError) -> DeletionStatus {
        try checkOpen()
        do {
            return try place.contents.withLock { contents in
                contents.commits = try contents.commits.map { commit in
                    guard deletion.signals.contains(commit.batch.signal) else { return commit }
                    return Commit(sequence: commit.sequence, batch: try ReferenceStore.remaining(commit.batch, deletion))
                }
                contents.commits.removeAll { $0.batch.count == 0 }
                contents.commit += 1
                let status = DeletionStatus(sequence: contents.sequence, deletion: deletion, time: .now, completed: .now)
                contents.deletions.append(status)
                return status
            }
        } catch {
            throw .unsupported("\(error)")
        }
    }

    public func deletions() async throws(StoreError) -> [DeletionStatus] {
        try checkOpen()
        return place.contents.withLock { $0.deletions }
    }

    public var capabilities: StoreCapabilities { .pins }

    public func pin(_ selection: PinSelection, note: String) async throws(StoreError) -> Pin {
        try checkOpen()
        do {
            return try place.contents.withLock { contents in
                contents.lastPin += 1
                var held = HeldPin(pin: Pin(id: contents.lastPin, selection: selection, note: note, created: .now))
                let snapshot = ReferenceSnapshot(contents: contents)
                for signal in selection.signals {
                    let plan = ScanPlan(
                        signal: signal, range: selection.range, streamMatchers: selection.streamMatchers, traceIDs: selection.traceIDs)
                    let found = Set(try snapshot.heldRows(of: plan))
                    let known = contents.pins.reduce(into: Set<HeldRow>()) { known, pin in
                        if signal.hasOrds { known.formUnion(pin.rows[signal] ?? []) }
                    }
                    held.rows[signal] = found
                    held.pin.rowCount += found.subtracting(known).count
                }
                contents.pins.append(held)
                return held.pin
            }
        } catch let error as StoreError {
            throw error
        } catch {
            throw .unsupported("\(error)")
        }
    }

    public func unpin(_ id: UInt64) async throws(StoreError) -> Bool {
        try checkOpen()
        return place.contents.withLock { contents in
            let count = contents.pins.count
            contents.pins.removeAll { $0.pin.id == id }
            return contents.pins.count < count
        }
    }

    public func pins() async throws(StoreError) -> [Pin] {
        try checkOpen()
        return place.contents.withLock { contents in
            // Deletions take pinned rows; which of several pins counts a row is of no account here.
            var seen: Set<HeldRow> = []
            return contents.pins.map { held in
                var pin = held.pin
                pin.rowCount = 0
                for (signal, rows) in held.rows {
                    let left = contents.commits.filter { $0.batch.signal == signal }.reduce(into: Set<HeldRow>()) { left, commit in
                        for position in commit.positions { left.insert(HeldRow(sequence: commit.sequence, position: position)) }
                    }
                    let own = rows.intersection(left)
                    pin.rowCount += signal.hasOrds ? own.subtracting(seen).count : own.count
                    seen.formUnion(own)
                }
                return pin
            }
        }
    }

    private static func remaining(_ batch: ColumnBatch, _ deletion: Deletion) throws -> ColumnBatch {
        let bounds = deletion.range.bounds(for: batch.signal)
        var rows = (0..<batch.count).filter { bounds.contains(batch.times[$0]) }
        if let ids = deletion.traceIDs {
            if case .traceIDs(let values) = batch[.traceID] { rows = rows.filter { ids.contains(values[$0]) } } else { rows = [] }
        }
        rows = try rows.filter { row in
            let descriptor = try batch.streams.decoded(Int(batch.streamIndexes[row]))
            return deletion.streamMatchers.allSatisfy { $0.matches(descriptor) }
        }
        let gone = Set(try ReferencePredicate.rows(passing: deletion.predicate, of: batch, among: rows))
        var remaining = ColumnBatch(signal: batch.signal)
        for row in 0..<batch.count where !gone.contains(row) { remaining.appendRow(row, of: batch) }
        return remaining
    }

    public func flush() async throws(StoreError) { try checkOpen() }

    public func close() async throws(StoreError) {
        try checkOpen()
        isClosed.withLock { $0 = true }
    }

    public var statistics: StoreStatistics { place.contents.withLock { $0.statistics } }
}

extension ColumnBatch {
    /// Where a row of a batch with stream ids stands.
    func position(_ row: Int) -> ScanPosition {
        ScanPosition(time: times[row], stream: streams.id(Int(streamIndexes[row])) ?? StreamID(high: 0, low: 0), ord: ords.isEmpty ? 0 : ords[row])
    }
}
