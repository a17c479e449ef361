import OrielStore
import OrielTelemetry

/// Writes the files of a pin, on a thread of its own. Nothing that it writes counts before ``Maintainer/finishPin(_:)``.
struct PinJob: Sendable {
    enum Work: Sendable {
        case make(PinSelection, note: String)
        case remove(UInt64)
        /// Writes a file anew without the rows of deletions.
        case clear(PublishedState.PinnedFile)
    }

    struct Outcome: Sendable {
        var change: Result<AppDatabase.PinChange?, any Error>
        /// Files that were entered, whatever became of them.
        var entered: [UInt64] = []
    }

    var work: Work
    /// The store at the moment of the order, and the numbers of the rows that came next.
    var state: PublishedState
    var ends: [Signal: UInt64]
    /// Ends the work when it is cancelled, and bounds its memory.
    var budget: QueryBudget

    /// Rows and bytes that are sorted at once.
    private static let sealRows = 65_536
    private static let sealBytes = 4 << 20
    /// Bytes of encoded rows that one file takes, roughly.
    private static let fileBytes = 32 << 20
    /// Most pins that a store keeps.
    static let limit = 1000

    func run(_ core: StoreCore) -> Outcome {
        var entered: [UInt64] = []
        let change = Result { () throws -> AppDatabase.PinChange? in
            switch work {
            case .make(let selection, let note): try make(selection, note, core, &entered)
            case .remove(let id): try remove(id, core, &entered)
            case .clear(let file): try clear(file, core, &entered)
            }
        }
        if case .success(let change?) = change, !change.written.isEmpty { core.crashPoints.reach(.pinRenamed) }
        return Outcome(change: change, entered: entered)
    }

    // MARK: The three kinds of work

    private func make(_ selection: PinSelection, _ note: String, _ core: StoreCore, _ entered: inout [UInt64]) throws -> AppDatabase.PinChange {
        let count = try core.withAppDatabase { try AppDatabase.pins($0).count }
        guard count < PinJob.limit else { throw StoreError.unsupported("more than \(PinJob.limit) pins; give some up") }
        let pin = KeptPin(id: 0, created: .now, note: note, selection: selection, ends: ends)
        var change = AppDatabase.PinChange(made: pin)
        for signal in selection.signals.sorted() {
            let plan = ScanPlan(
                signal: signal, range: selection.range, streamMatchers: selection.streamMatchers, traceIDs: selection.traceIDs)
            let held = try heldRows(plan, core)
            defer { budget.release(held.count * 8) }
            // Deletions up to this moment are not in the snapshot any more.
            let target = Target(signal: signal, pin: 0, high: state.sequence, applied: state.sequence, inputs: [])
            change.written += try copy(plan, of: state, to: target, core, &entered) { batch in
                held.isEmpty ? nil : batch.ords.indices.filter { !held.contains(sorted: batch.ords[$0]) }
            }
        }
        return change
    }

    /// The numbers of the rows of a plan that other pins hold, sorted; none for signals without row numbers, of which a scan drops what comes twice.
    private func heldRows(_ plan: ScanPlan, _ core: StoreCore) throws(StoreError) -> [UInt64] {
        guard plan.signal.hasOrds, !state[plan.signal].pinned.isEmpty else { return [] }
        var plan = plan
        plan.projection = .positions
        var merge = try ScanMerge(
            plan: plan, state: PinJob.state(of: state[plan.signal].pinned, plan.signal, tombstones: [], registry: state.registry),
            registry: state.registry, budget: budget)
        var held: [UInt64] = []
        while let batch = try merge.nextBatch() {
            try budget.reserve(batch.count * 8)
            held += batch.ords
        }
        return held.sorted()
    }

    private func remove(_ id: UInt64, _ core: StoreCore, _ entered: inout [UInt64]) throws -> AppDatabase.PinChange? {
        let pins = try core.withAppDatabase { try AppDatabase.pins($0) }
        guard pins.contains(where: { $0.id == id }) else { return nil }
        var change = AppDatabase.PinChange(removed: id)
        for signal in Signal.allCases {
            let others = pins.filter { $0.id != id && $0.selection.signals.contains(signal) }
            for file in state[signal].pinned where file.pin == id {
                change.dead.append(file.fileID)
                // Of other signals each pin has its own copies.
                guard signal.hasOrds else { continue }
                for (index, heir) in others.enumerated() {
                    change.written += try inherit(file, heir, before: others[..<index], signal, core, &entered)
                }
            }
        }
        // Files that could not be opened go with their pin.
        let rows = try core.withAppDatabase { try AppDatabase.pinFiles($0) }
        change.dead += rows.filter { $0.pin == id && $0.state == .live && !change.dead.contains($0.id) }.map(\.id)
        return change
    }

    /// Copies the rows of a file that another pin selects, and none of those before it.
    private func inherit(
        _ file: PublishedState.PinnedFile, _ heir: KeptPin, before others: ArraySlice<KeptPin>, _ signal: Signal, _ core: StoreCore,
        _ entered: inout [UInt64]
    ) throws -> [PinFiles.Opened] {
        let selection = heir.selection
        let bounds = selection.range.bounds(for: signal)
        guard file.container.blocks.contains(where: { $0.minimumTime < bounds.upperBound && bounds.lowerBound <= $0.maximumTime }) else { return [] }
        let plan = ScanPlan(
            signal: signal, range: selection.range, streamMatchers: selection.streamMatchers, traceIDs: selection.traceIDs)
        let source = PinJob.state(of: [file], signal, tombstones: state.tombstones, registry: state.registry)
        let end = heir.ends[signal] ?? .max
        var earlier = others.map { (filter: $0.filter(signal, state.registry), end: $0.ends[signal] ?? .max) }
        return try copy(plan, of: source, to: target(file, signal, pin: heir.id), core, &entered) { batch in
            var rows = batch.ords.indices.filter { batch.ords[$0] < end }
            for index in earlier.indices where !rows.isEmpty {
                guard let low = batch.times.min(), let high = batch.times.max(),
                    let touch = earlier[index].filter.touch(high: .zero, times: low...high)
                else { continue }
                let (left, end) = (Set(earlier[index].filter.remaining(rows, of: batch, touch)), earlier[index].end)
                rows.removeAll { !left.contains($0) && batch.ords[$0] < end }
            }
            return rows
        }
    }

    private func clear(_ file: PublishedState.PinnedFile, _ core: StoreCore, _ entered: inout [UInt64]) throws -> AppDatabase.PinChange {
        let signal = file.container.signal
        let source = PinJob.state(of: [file], signal, tombstones: state.tombstones, registry: state.registry)
        let written = try copy(ScanPlan(signal: signal), of: source, to: target(file, signal, pin: file.pin), core, &entered) { _ in nil }
        return AppDatabase.PinChange(written: written, dead: [file.fileID])
    }

    /// A file with rows of another one: later deletions apply to it as to that one.
    private func target(_ file: PublishedState.PinnedFile, _ signal: Signal, pin: UInt64) -> Target {
        Target(
            signal: signal, pin: pin, high: file.container.blocks.map(\.high).max() ?? .zero,
            applied: max(file.container.appliedDeletions, state.tombstones.last?.sequence ?? .zero), inputs: [file.fileID])
    }

    /// A store that has nothing but some files, all of whose rows are visible unless they are deleted.
    private static func state(of files: [PublishedState.PinnedFile], _ signal: Signal, tombstones: [Tombstone], registry: StreamRegistry) -> PublishedState {
        PublishedState(registry: registry).replacing(tombstones: tombstones) { signals in signals[signal].segments = files.map(\.container) }
    }

    // MARK: Copying

    /// What the files of a copy say about themselves.
    private struct Target {
        var signal: Signal
        var pin: UInt64
        /// Deletions from here on apply to the rows.
        var high: CommitSequence
        var applied: CommitSequence
        var inputs: [UInt64]
    }

    /// Copies the rows of a plan into files.
    ///
    /// - Parameter keep: Which rows of a batch; `nil` for all.
    private func copy(
        _ plan: ScanPlan, of source: PublishedState, to target: Target, _ core: StoreCore, _ entered: inout [UInt64],
        _ keep: (ColumnBatch) -> [Int]?
    ) throws -> [PinFiles.Opened] {
        var merge = try ScanMerge(plan: plan, state: source, registry: state.registry, budget: budget)
        defer { merge.close() }
        var written: [PinFiles.Opened] = []
        var runs: [SealedRun] = []
        var chunks: [BuilderChunk] = []
        while let batch = try merge.nextBatch() {
            var kept = batch
            if let rows = keep(batch), rows.count < batch.count { kept = batch.selecting(rows) }
            guard kept.count > 0 else { continue }
            chunks.append(BuilderChunk(sequence: target.high, batch: kept))
            guard chunks.reduce(0, { $0 + $1.byteCount }) >= PinJob.sealBytes || chunks.reduce(0, { $0 + $1.batch.count }) >= PinJob.sealRows else {
                continue
            }
            try seal(&chunks, target.signal, core, &runs)
            if runs.reduce(0, { $0 + $1.byteCount }) >= PinJob.fileBytes { try write(&runs, target, core, &entered, &written) }
        }
        try seal(&chunks, target.signal, core, &runs)
        try write(&runs, target, core, &entered, &written)
        return written
    }

    private func seal(_ chunks: inout [BuilderChunk], _ signal: Signal, _ core: StoreCore, _ runs: inout [SealedRun]) throws {
        if let run = try SealedRun.seal(chunks, signal: signal, registry: state.registry) { runs.append(run) }
        chunks = []
    }

    private func write(
        _ runs: inout [SealedRun], _ target: Target, _ core: StoreCore, _ entered: inout [UInt64], _ written: inout [PinFiles.Opened]
    ) throws {
        guard !runs.isEmpty else { return }
        if let free = core.freeSpace.bytes(core, age: 0), free < core.freeSpaceNeeded { throw core.diskFull(free) }
        let id = try core.withAppDatabase { try AppDatabase.enterPinFile($0) }
        entered.append(id)
        let entry = SegmentDescription(
            fileID: id, signal: target.signal, level: 0, pieces: [], inputs: target.inputs, rowCount: 0, minimumTime: 0, maximumTime: 0, byteCount: 0,
            appliedDeletions: target.applied)
        let description = try SegmentFiles.flush(runs, entry, core: core)
        let container = try SegmentFiles.open(description, core: core)
        written.append(PinFiles.Opened(pin: target.pin, file: SegmentFiles.Opened(description: description, container: container)))
        runs = []
        // What is only written anew takes no more than it did.
        guard target.pin == 0 else { return }
        let present = Signal.allCases.flatMap { state[$0].pinned }.reduce(0) { $0 + SegmentFiles.byteCount($1.container) }
        let bytes = Int64(present + written.reduce(0) { $0 + $1.file.description.byteCount })
        let allowed = min(core.options.pinnedBytes, core.options.diskBudget.map { $0 / 4 } ?? .max)
        guard bytes <= allowed else {
            throw StoreError.unsupported("pins of more than \(allowed) bytes; the limit is reached with \(bytes), so select less or give pins up")
        }
    }
}

extension [UInt64] {
    /// Whether a sorted array has a value.
    fileprivate func contains(sorted value: UInt64) -> Bool {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == value
    }
}
