import OrielStore
import OrielTelemetry
import Synchronization

/// All streams that this process has met: their ids, descriptors and references.
///
/// A reference is dense from 0 and never reused, so that batches and memory blocks hold 4 bytes a row. Lookups are by id; on a hit the descriptor's bytes are
/// compared, so that two streams with one id (practically impossible) are refused instead of mixed.
final class StreamRegistry: Sendable {
    private struct State {
        var ids: [StreamID] = []
        var descriptors = ByteColumn()
        var references: [StreamID: StreamReference] = [:]
        /// References up to which the labels are in the store's `streams` table or a live segment.
        var isDurable: [Bool] = []
    }

    /// The secret of the store, 16 random bytes that LOCK and hot.db keep.
    let secret: StreamSecret
    private let state = Mutex(State())

    init(secret: StreamSecret) {
        self.secret = secret
    }

    /// The reference of a stream, minted when new; `nil` when another stream has the same id.
    func intern(_ descriptor: Span<UInt8>, id: StreamID) -> StreamReference? {
        let bytes = descriptor.array
        return state.withLock { state in
            if let reference = state.references[id] {
                let range = state.descriptors.range(of: Int(reference))
                return state.descriptors.bytes.span.extracting(range).isEqual(to: bytes.span) ? reference : nil
            }
            let reference = StreamReference(state.ids.count)
            state.ids.append(id)
            state.descriptors.append(bytes.span)
            state.isDurable.append(false)
            state.references[id] = reference
            return reference
        }
    }

    /// References for all streams of a batch's table, in its order; `nil` for a collision. Takes the lock once.
    func intern(_ streams: StreamTable) -> [StreamReference?] {
        let descriptors = streams.descriptors
        var ids: [StreamID] = []
        ids.reserveCapacity(descriptors.count)
        for index in 0..<descriptors.count {
            ids.append(secret.id(of: descriptors.bytes.span.extracting(descriptors.range(of: index))))
        }
        return state.withLock { state in
            var references: [StreamReference?] = []
            references.reserveCapacity(ids.count)
            for index in ids.indices {
                let bytes = descriptors.bytes.span.extracting(descriptors.range(of: index))
                if let reference = state.references[ids[index]] {
                    let range = state.descriptors.range(of: Int(reference))
                    references.append(state.descriptors.bytes.span.extracting(range).isEqual(to: bytes) ? reference : nil)
                } else {
                    let reference = StreamReference(state.ids.count)
                    state.ids.append(ids[index])
                    state.descriptors.append(bytes)
                    state.isDurable.append(false)
                    state.references[ids[index]] = reference
                    references.append(reference)
                }
            }
            return references
        }
    }

    var count: Int { state.withLock { $0.ids.count } }

    func id(of reference: StreamReference) -> StreamID {
        state.withLock { $0.ids[Int(reference)] }
    }

    func ids(of references: [StreamReference]) -> [StreamID] {
        state.withLock { state in references.map { state.ids[Int($0)] } }
    }

    func reference(of id: StreamID) -> StreamReference? {
        state.withLock { $0.references[id] }
    }

    /// Canonical descriptor bytes.
    func descriptor(of reference: StreamReference) -> [UInt8] {
        state.withLock { $0.descriptors[Int(reference)] }
    }

    /// Notes that the labels of these streams are on disk.
    func markDurable(_ references: [StreamReference]) {
        state.withLock { state in
            for reference in references { state.isDurable[Int(reference)] = true }
        }
    }

    /// A batch for callers: references replaced by a stream table of its own, with ids.
    func resolve(_ batch: consuming ColumnBatch) -> ColumnBatch {
        var local: [StreamReference: UInt32] = [:]
        var table = StreamTable()
        var indexes: [UInt32] = []
        indexes.reserveCapacity(batch.streamIndexes.count)
        var last: (reference: StreamReference, index: UInt32)?
        state.withLock { state in
            for reference in batch.streamIndexes {
                if let last, last.reference == reference {
                    indexes.append(last.index)
                    continue
                }
                let index: UInt32
                if let known = local[reference] {
                    index = known
                } else {
                    let range = state.descriptors.range(of: Int(reference))
                    index = UInt32(
                        table.intern(state.descriptors.bytes.span.extracting(range), id: state.ids[Int(reference)]))
                    local[reference] = index
                }
                indexes.append(index)
                last = (reference, index)
            }
        }
        batch.streams = table
        batch.streamIndexes = indexes
        return batch
    }
}
