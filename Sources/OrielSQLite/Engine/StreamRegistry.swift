import OrielStore
import OrielTelemetry
import Synchronization

/// The streams that a store has in memory: their ids, descriptors and references.
///
/// A reference is dense from 0 and never reused, so that batches and memory blocks hold 4 bytes a row. Lookups are by id; on a hit the descriptor's bytes are
/// compared, so that two streams with one id (practically impossible) are refused instead of mixed.
///
/// A registry only grows. Streams are forgotten by going on with another registry, which takes over those that are still in use; whoever holds a ``PublishedState``
/// or rows of the former one keeps it as long as needed.
final class StreamRegistry: Sendable {
    private struct State {
        var ids: [StreamID] = []
        /// The descriptors by reference, found by the hash that all tables of this process share.
        var descriptors = DistinctBytes()
        var references = StreamIDTable()
        /// By reference, whether the stream counts against the limit: requests brought it. The others were only read from files.
        var isCounted: [Bool] = []
        var countedCount = 0
        var countedBytes = 0

        /// Whether new streams of requests are refused; references themselves must not run out either.
        func isFull(_ limit: Limit) -> Bool {
            countedCount >= limit.count || countedBytes >= limit.byteCount || ids.count >= Int(StreamReference.max) - 1
        }

        /// Lets a stream count against the limit.
        mutating func count(_ reference: Int) {
            guard !isCounted[reference] else { return }
            isCounted[reference] = true
            countedCount += 1
            countedBytes += descriptors.count(of: reference)
        }

        /// The reference of the stream that has the id, minted when new; `nil` when another stream has the id, or the stream another id.
        mutating func intern(_ descriptor: Span<UInt8>, hash: UInt64, id: StreamID) -> StreamReference? {
            if let reference = references.find(id, ids) {
                return descriptors.isEqual(Int(reference), to: descriptor) ? reference : nil
            }
            guard descriptors.index(of: descriptor, hash: hash) == nil else { return nil }
            let reference = StreamReference(descriptors.add(descriptor, hash: hash))
            isCounted.append(false)
            ids.append(id)
            references.add(reference, ids)
            return reference
        }

        /// In references in the order of their ids the index of the first whose id is not below one, or their count.
        func firstPlace(in sorted: [StreamReference], notBelow id: StreamID) -> Int {
            var low = 0
            var high = sorted.count
            while low < high {
                let middle = (low + high) / 2
                if ids[Int(sorted[middle])] < id { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    /// Under this number stream dictionaries keep what is known of their streams here.
    private let owner = UInt64.random(in: 1...UInt64.max)
    /// The secret of the store, 16 random bytes that LOCK and hot.db keep.
    let secret: StreamSecret
    private let state = Mutex(State())
    /// The references below its count, in the order of their ids.
    private let order = Mutex<[StreamReference]>([])
    let limit: Limit
    /// Finds streams by their labels.
    let labels = StreamLabels()

    /// How many streams requests may bring. What files and redo hold is never refused, and what only files hold does not count.
    struct Limit: Sendable {
        var count = Int(StreamReference.max) - 1
        var byteCount = Int.max
    }

    init(secret: StreamSecret, limit: Limit = Limit()) {
        self.secret = secret
        self.limit = limit
    }

    /// The reference of a stream, minted when new; `nil` when another stream has the same id.
    ///
    /// - Parameter isCounted: Whether the stream counts against the limit from now on; either way it is not refused.
    func intern(_ descriptor: Span<UInt8>, id: StreamID, isCounted: Bool = false) -> StreamReference? {
        let bytes = descriptor.array
        let hash = KeyTable.hash(of: bytes.span)
        return state.withLock { state in
            let reference = state.intern(bytes.span, hash: hash, id: id)
            if isCounted, let reference { state.count(Int(reference)) }
            return reference
        }
    }

    /// Takes over streams of another registry, whatever the limit.
    ///
    /// - Returns: Their references here, in their order; ``StreamDictionary/unknown`` for a collision with a stream that came from a file meanwhile.
    func adopt(_ references: [StreamReference], of other: StreamRegistry, isCounted: Bool) -> [StreamReference] {
        var adopted: [StreamReference] = []
        adopted.reserveCapacity(references.count)
        var start = 0
        while start < references.count {
            // Nobody waits long for either registry.
            let part = references[start..<min(start + 1024, references.count)]
            start = part.endIndex
            let (descriptors, hashes, ids) = other.state.withLock { state in
                var column = ByteColumn()
                for reference in part { state.descriptors.append(Int(reference), to: &column) }
                return (column, part.map { state.descriptors.hash(of: Int($0)) }, part.map { state.ids[Int($0)] })
            }
            state.withLock { state in
                for index in 0..<descriptors.count {
                    let bytes = descriptors.bytes.span.extracting(descriptors.range(of: index))
                    let reference = state.intern(bytes, hash: hashes[index], id: ids[index])
                    if isCounted, let reference { state.count(Int(reference)) }
                    adopted.append(reference ?? StreamDictionary.unknown)
                }
            }
        }
        return adopted
    }

    /// Whether new streams of requests are refused.
    var isFull: Bool { state.withLock { $0.isFull(limit) } }

    /// What the streams take.
    struct Usage: Sendable, Equatable {
        /// Streams that requests brought, and the bytes of their descriptors.
        var countedStreams = 0
        var countedBytes = 0
        /// The others, which were read from files.
        var otherStreams = 0
        var otherBytes = 0
    }

    /// Bytes of the descriptors of some streams.
    func byteCount(of references: [StreamReference]) -> Int {
        state.withLock { state in references.reduce(0) { $0 + state.descriptors.count(of: Int($1)) } }
    }

    var usage: Usage {
        state.withLock { state in
            Usage(
                countedStreams: state.countedCount, countedBytes: state.countedBytes, otherStreams: state.ids.count - state.countedCount,
                otherBytes: state.descriptors.byteCount - state.countedBytes)
        }
    }

    /// References for all streams of a batch's table, in its order; `nil` for a collision, and for a new one beyond the limit.
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

    /// References for some streams; `nil` for a collision, and for a new one beyond the limit.
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
                    state.count(known)
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
                let bytes = descriptors.bytes.span.extracting(descriptors.range(of: index))
                let reference =
                    state.isFull(limit)
                    ? state.descriptors.index(of: bytes, hash: hashes[index]).map { StreamReference($0) }
                    : state.intern(bytes, hash: hashes[index], id: id)
                if let reference { state.count(Int(reference)) }
                references[index] = reference
            }
        }
        return references
    }

    var count: Int { state.withLock { $0.ids.count } }

    func id(of reference: StreamReference) -> StreamID {
        state.withLock { $0.ids[Int(reference)] }
    }

    func ids(of references: some Collection<StreamReference>) -> [StreamID] {
        parts(of: references) { state, reference in state.ids[Int(reference)] }
    }

    /// What `body` makes of each element, as far as it makes something of it. Nobody waits long for the registry meanwhile.
    private func parts<Element, Value>(of elements: some Collection<Element>, _ body: (borrowing State, Element) -> Value?) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(elements.count)
        var rest = elements[...]
        while !rest.isEmpty {
            let part = rest.prefix(1024)
            rest = rest.dropFirst(part.count)
            state.withLock { state in
                for element in part {
                    if let value = body(state, element) { values.append(value) }
                }
            }
        }
        return values
    }

    /// Some references in the order of their ids.
    ///
    /// Complexity: O(*n*) in the streams of the registry when the references are many of them, else O(*m* log *m*) in the references.
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
        state.withLock { $0.references.find(id, $0.ids) }
    }

    /// Canonical descriptor bytes.
    func descriptor(of reference: StreamReference) -> [UInt8] {
        state.withLock { $0.descriptors[Int(reference)] }
    }

    /// The descriptors of some streams of consecutive references: of no more than there are, and of fewer when they are large.
    func descriptors(from start: StreamReference, limit: Int) -> ByteColumn {
        state.withLock { state in
            var column = ByteColumn()
            var index = Int(start)
            while index < state.descriptors.count, column.count < limit, column.bytes.count < 1 << 20 {
                state.descriptors.append(index, to: &column)
                index += 1
            }
            return column
        }
    }

    /// The descriptors of some streams, in their order.
    func descriptors(of references: some Sequence<StreamReference>) -> ByteColumn {
        state.withLock { state in
            var column = ByteColumn()
            for reference in references { state.descriptors.append(Int(reference), to: &column) }
            return column
        }
    }

    /// Where in references that come in the order of their ids some others are, in no order.
    ///
    /// Complexity: O(*m* log *n*), *m* being the wanted ones.
    func places(of wanted: [StreamReference], in sorted: [StreamReference]) -> [UInt32] {
        state.withLock { state in
            var places: [UInt32] = []
            for reference in wanted {
                let place = state.firstPlace(in: sorted, notBelow: state.ids[Int(reference)])
                if place < sorted.count, sorted[place] == reference { places.append(UInt32(place)) }
            }
            return places
        }
    }

    /// Where in references that come in the order of their ids those of a range of ids are.
    func places(of ids: ClosedRange<StreamID>, in sorted: [StreamReference]) -> Range<Int> {
        state.withLock { state in
            let first = state.firstPlace(in: sorted, notBelow: ids.lowerBound)
            var end = state.firstPlace(in: sorted, notBelow: ids.upperBound)
            if end < sorted.count, state.ids[Int(sorted[end])] == ids.upperBound { end += 1 }
            return first..<max(first, end)
        }
    }

    /// The references of those of some ids that are known.
    func references(of ids: some Collection<StreamID>) -> [StreamReference] {
        parts(of: ids) { state, id in state.references.find(id, state.ids) }
    }

    /// Some streams for callers, in their order.
    func list(of references: some Collection<StreamReference>) -> StreamList {
        var descriptors = ByteColumn()
        descriptors.reserveCapacity(references.count, bytes: parts(of: references) { $0.descriptors.count(of: Int($1)) }.reduce(0, +))
        let ids = parts(of: references) { state, reference in
            state.descriptors.append(Int(reference), to: &descriptors)
            return state.ids[Int(reference)]
        }
        return StreamList(ids: ids, descriptors: descriptors)
    }

    /// A batch for callers: references replaced by a stream table of its own, with ids.
    ///
    /// - Parameter withDescriptors: Whether the table has the streams' descriptors, or ids alone.
    func resolve(_ batch: consuming ColumnBatch, withDescriptors: Bool = true) -> ColumnBatch {
        var local: [StreamReference: UInt32] = [:]
        var references: [StreamReference] = []
        var indexes: [UInt32] = []
        indexes.reserveCapacity(batch.streamIndexes.count)
        var last: (reference: StreamReference, index: UInt32)?
        for reference in batch.streamIndexes {
            if let last, last.reference == reference {
                indexes.append(last.index)
                continue
            }
            let index = local[reference] ?? UInt32(references.count)
            if index == references.count {
                local[reference] = index
                references.append(reference)
            }
            indexes.append(index)
            last = (reference, index)
        }
        batch.streams = withDescriptors ? table(of: references) : StreamTable(ids: ids(of: references))
        batch.streamIndexes = indexes
        return batch
    }

    /// A table of some streams, which must be distinct, in their order.
    private func table(of references: [StreamReference]) -> StreamTable {
        state.withLock { state in
            var table = StreamTable()
            for reference in references { _ = table.intern(state.descriptors[Int(reference)], id: state.ids[Int(reference)]) }
            return table
        }
    }
}

/// References by stream id: an open-addressing table over the ids, which are hashes already.
private struct StreamIDTable {
    /// A reference plus one; 0 is a free slot. The size is a power of two, at most three quarters full.
    private var slots: [UInt32] = []

    func find(_ id: StreamID, _ ids: [StreamID]) -> StreamReference? {
        guard !slots.isEmpty else { return nil }
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: id.low) & mask
        while slots[slot] != 0 {
            if ids[Int(slots[slot]) - 1] == id { return slots[slot] - 1 }
            slot = (slot &+ 1) & mask
        }
        return nil
    }

    /// - Parameter ids: By reference, with that of the new stream.
    mutating func add(_ reference: StreamReference, _ ids: [StreamID]) {
        if ids.count * 4 > slots.count * 3 {
            slots = Array(repeating: 0, count: max(16, slots.count * 2))
            for known in 0..<reference { place(known, ids) }
        }
        place(reference, ids)
    }

    private mutating func place(_ reference: StreamReference, _ ids: [StreamID]) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: ids[Int(reference)].low) & mask
        while slots[slot] != 0 { slot = (slot &+ 1) & mask }
        slots[slot] = reference + 1
    }
}
