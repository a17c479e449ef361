import OrielStore
import OrielTelemetry

/// The one record that commits, seals, flushes, merges and floors replace, and that a snapshot holds. Immutable.
///
/// Every row of the store that is at or below ``sequence`` is in exactly one of a signal's segments, sealed runs and chunks.
final class PublishedState: Sendable {
    /// One signal's rows.
    struct SignalState: Sendable {
        /// Live files.
        var segments: [any BlockContainer] = []
        /// Sealed rows that are not in a file yet, oldest first.
        var sealed: [any BlockContainer] = []
        /// Rows that are not sealed yet, in commit order.
        var chunks = ChunkList()
        /// Files of pins: they answer only below the floor, where nothing else does.
        var pinned: [PinnedFile] = []
        /// Rows before this are gone. Nanoseconds since 1970.
        var floor = Timestamp(nanoseconds: .min)
    }

    /// A file with copies of rows that a pin holds. No row of a signal with row numbers is in two of them.
    struct PinnedFile: Sendable {
        var pin: UInt64
        var fileID: UInt64
        var container: any BlockContainer
    }

    let sequence: CommitSequence
    /// Grows with each change of the set of files.
    let manifestVersion: UInt64
    /// The deletions whose rows may still be there, oldest first.
    let tombstones: [Tombstone]
    /// What the references of all rows are of.
    let registry: StreamRegistry
    private let signals: [SignalState]

    init(sequence: CommitSequence, manifestVersion: UInt64, tombstones: [Tombstone] = [], registry: StreamRegistry, signals: [SignalState]) {
        precondition(signals.count == Signal.allCases.count)
        self.registry = registry
        self.sequence = sequence
        self.manifestVersion = manifestVersion
        self.tombstones = tombstones
        self.signals = signals
    }

    /// A store without rows.
    convenience init(registry: StreamRegistry) {
        self.init(sequence: .zero, manifestVersion: 0, registry: registry, signals: Array(repeating: SignalState(), count: Signal.allCases.count))
    }

    subscript(signal: Signal) -> SignalState { signals[Int(signal.rawValue) - 1] }

    /// This state with some parts replaced. With another registry all rows must be made its own.
    func replacing(
        sequence: CommitSequence? = nil, manifestVersion: UInt64? = nil, tombstones: [Tombstone]? = nil, registry: StreamRegistry? = nil,
        _ change: (inout [SignalState]) -> Void = { _ in }
    ) -> PublishedState {
        var signals = signals
        change(&signals)
        return PublishedState(
            sequence: sequence ?? self.sequence, manifestVersion: manifestVersion ?? self.manifestVersion, tombstones: tombstones ?? self.tombstones,
            registry: registry ?? self.registry, signals: signals)
    }
}

extension PublishedState.SignalState {
    /// Everything that is in a file.
    var files: [any BlockContainer] { segments + pinned.map(\.container) }

    /// Everything that may hold rows that a query sees, but for chunks.
    var containers: [any BlockContainer] { segments + sealed + pinnedBelowFloor }

    /// Files of pins with a row below the floor.
    var pinnedBelowFloor: [any BlockContainer] {
        pinned.lazy.map(\.container).filter { container in
            let end = TimeRange(start: TimeRange.all.start, end: floor).bounds(for: container.signal).upperBound
            return container.blocks.contains { $0.minimumTime < end }
        }
    }
}

extension [PublishedState.SignalState] {
    subscript(signal: Signal) -> PublishedState.SignalState {
        get { self[Int(signal.rawValue) - 1] }
        // In place: a list of chunks that is held twice is copied when it changes.
        _modify { yield &self[Int(signal.rawValue) - 1] }
    }
}
