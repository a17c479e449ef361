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
        /// The descriptors by reference, found by a fast hash that is this process's own.
        var descriptors = KeyTable()
        var references: [StreamID: StreamReference] = [:]

        /// The reference of the stream that has the id, minted when new; `nil` when another stream has the id, or the stream another id.
        mutating func intern(_ descriptor: Span<UInt8>, id: StreamID) -> StreamReference? {
            if let reference = references[id] {
                let known = descriptors.keys.range(of: Int(reference))
                return descriptors.keys.bytes.span.extracting(known).isEqual(to: descriptor) ? reference : nil
            }
            let index = descriptors.intern(descriptor)
            guard index == ids.count else { return nil }
            ids.append(id)
            references[id] = StreamReference(index)
            return StreamReference(index)
        }
    }

    /// Under this number stream dictionaries keep what is known of their streams here.
    private let owner = UInt64.random(in: 1...UInt64.max)
    /// The secret of the store, 16 random bytes that LOCK and hot.db keep.
    let secret: StreamSecret
    private let state = Mutex(State())
    /// The references below its count, in the order of their ids.
    private let order = Mutex<[StreamReference]>([])

    init(secret: StreamSecret) {
        self.secret = secret
    }

    /// The reference of a stream, minted when new; `nil` when another stream has the same id.
    func intern(_ descriptor: Span<UInt8>, id: StreamID) -> StreamReference? {
        let bytes = descriptor.array
        return state.withLock { $0.intern(bytes.span, id: id) }
    }

    /// References for all streams of a batch's table, in its order; `nil` for a collision.
    func intern(_ streams: StreamTable) -> [StreamReference?] {
        guard let dictionary = streams.dictionary else { return intern(streams.descriptors, hashes: streams.descriptorHashes) }
        let indexes = streams.dictionaryIndexes
        let known = dictionary.references(indexes, owner: owner)
        var references: [StreamReference?] = known
        let missing = known.indices.filter { known[$0] == StreamDictionary.unknown }
        guard !missing.isEmpty else { return references }
        let missingIndexes = missing.map { indexes[$0] }
        let (descriptors, hashes) = dictionary.descriptors(missingIndexes)
        let found = intern(descriptors, hashes: hashes)
        for (position, reference) in zip(missing, found) { references[position] = reference }
        dictionary.set(found.map { $0 ?? StreamDictionary.unknown }, for: missingIndexes, owner: owner)
        return references
    }

    /// References for some streams; `nil` for a collision.
    ///
    /// A known stream is found by its descriptor: the slow hash that makes ids is for new ones.
    private func intern(_ descriptors: ByteColumn, hashes: [UInt64]) -> [StreamReference?] {
        var unknown: [Int] = []
        var references: [StreamReference?] = state.withLock { state in
            var references: [StreamReference?] = []
            references.reserveCapacity(descriptors.count)
            // What was new together comes together again.
            var next = 0
            for index in 0..<descriptors.count {
                let bytes = descriptors.bytes.span.extracting(descriptors.range(of: index))
                if let known = state.descriptors.index(of: bytes, hash: hashes[index], hint: next) {
                    references.append(StreamReference(known))
                    next = known + 1
                } else {
                    references.append(nil)
                    unknown.append(index)
                }
            }
            return references
        }
        guard !unknown.isEmpty else { return references }
        let ids = unknown.map { secret.id(of: descriptors.bytes.span.extracting(descriptors.range(of: $0))) }
        state.withLock { state in
            for (index, id) in zip(unknown, ids) {
                references[index] = state.intern(descriptors.bytes.span.extracting(descriptors.range(of: index)), id: id)
            }
        }
        return references
    }

    var count: Int { state.withLock { $0.ids.count } }

    func id(of reference: StreamReference) -> StreamID {
        state.withLock { $0.ids[Int(reference)] }
    }

    func ids(of references: [StreamReference]) -> [StreamID] {
        state.withLock { state in references.map { state.ids[Int($0)] } }
    }

    /// Some references in the order of their ids.
    ///
    /// Complexity: O(*n*) in the streams of this process when the references are many of them, else O(*m* log *m*) in the references.
    func sortedByID(_ references: [StreamReference]) -> [StreamReference] {
        let ids = state.withLock { $0.ids }
        guard references.count * 16 > ids.count else {
            return references.sorted { ids[Int($0)] < ids[Int($1)] }
        }
        var isWanted = [Bool](repeating: false, count: ids.count)
        for reference in references { isWanted[Int(reference)] = true }
        return order.withLock { order in
            if order.count < ids.count {
                let added = (StreamReference(order.count)..<StreamReference(ids.count)).sorted { ids[Int($0)] < ids[Int($1)] }
                order = merged(order, added, ids)
            }
            // Streams that came since the ids were read are not wanted.
            return order.filter { Int($0) < isWanted.count && isWanted[Int($0)] }
        }
    }

    /// Two ordered lists as one.
    private func merged(_ left: [StreamReference], _ right: [StreamReference], _ ids: [StreamID]) -> [StreamReference] {
        var merged: [StreamReference] = []
        merged.reserveCapacity(left.count + right.count)
        var next = 0
        for reference in left {
            while next < right.count, ids[Int(right[next])] < ids[Int(reference)] {
                merged.append(right[next])
                next += 1
            }
            merged.append(reference)
        }
        merged += right[next...]
        return merged
    }

    func reference(of id: StreamID) -> StreamReference? {
        state.withLock { $0.references[id] }
    }

    /// Canonical descriptor bytes.
    func descriptor(of reference: StreamReference) -> [UInt8] {
        state.withLock { $0.descriptors.keys[Int(reference)] }
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
                    let range = state.descriptors.keys.range(of: Int(reference))
                    index = UInt32(
                        table.intern(state.descriptors.keys.bytes.span.extracting(range), id: state.ids[Int(reference)]))
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
