import OrielTelemetry

/// Distinct byte strings with dense indexes, for tables that only grow: as `KeyTable`, but growing copies no bytes and no table of 4 GiB is too large.
///
/// About 22 bytes a string besides its own.
struct DistinctBytes {
    private struct Place {
        var chunk: UInt32
        var offset: UInt32
        var count: UInt32

        var range: Range<Int> { Int(offset)..<(Int(offset) + Int(count)) }
    }

    /// A string lies in one chunk; the last one grows.
    private var chunks: [[UInt8]] = []
    private var places: [Place] = []
    /// The lower half of each string's hash.
    private var hashes: [UInt32] = []
    /// Index of a string plus one; 0 is a free slot. The size is a power of two, at most three quarters full.
    private var slots: [UInt32] = []
    /// Bytes of all strings.
    private(set) var byteCount = 0

    private static let chunkBytes = 1 << 20

    init() {}

    var count: Int { places.count }

    /// A copy of a string.
    subscript(index: Int) -> [UInt8] {
        let place = places[index]
        return Array(chunks[Int(place.chunk)][place.range])
    }

    /// Appends a string to a column.
    func append(_ index: Int, to column: inout ByteColumn) {
        let place = places[index]
        let chunk = chunks[Int(place.chunk)]
        column.append(chunk.span.extracting(place.range))
    }

    /// As much of a string's hash as is needed to find it.
    func hash(of index: Int) -> UInt64 { UInt64(hashes[index]) }

    func count(of index: Int) -> Int { Int(places[index].count) }

    /// Whether a string is `bytes`, when its first bytes are left out.
    func isEqual(_ index: Int, to bytes: Span<UInt8>, droppingFirst dropped: Int = 0) -> Bool {
        let place = places[index]
        guard Int(place.count) == bytes.count + dropped else { return false }
        let range = place.range.lowerBound + dropped..<place.range.upperBound
        let chunk = chunks[Int(place.chunk)]
        return chunk.span.extracting(range).isEqual(to: bytes)
    }

    /// The index of a string, or `nil`.
    ///
    /// - Parameters:
    ///   - hash: The same for all calls with this string.
    ///   - hint: The index that is likely right.
    func index(of bytes: Span<UInt8>, hash: UInt64, hint: Int = -1) -> Int? {
        let short = UInt32(truncatingIfNeeded: hash)
        if hint >= 0, hint < places.count, hashes[hint] == short, isEqual(hint, to: bytes) { return hint }
        guard !slots.isEmpty else { return nil }
        let mask = slots.count - 1
        var slot = Int(short) & mask
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if hashes[index] == short, isEqual(index, to: bytes) { return index }
            slot = (slot &+ 1) & mask
        }
        return nil
    }

    /// Adds a string that is not there yet.
    ///
    /// - Returns: Its index.
    mutating func add(_ bytes: Span<UInt8>, hash: UInt64) -> Int {
        if (places.count + 1) * 4 > slots.count * 3 { grow() }
        if chunks.last.map({ $0.count + bytes.count > DistinctBytes.chunkBytes }) ?? true {
            var chunk: [UInt8] = []
            // The first chunk of a small table stays small.
            if !chunks.isEmpty { chunk.reserveCapacity(max(DistinctBytes.chunkBytes, bytes.count)) }
            chunks.append(chunk)
        }
        let last = chunks.count - 1
        places.append(Place(chunk: UInt32(last), offset: UInt32(chunks[last].count), count: UInt32(bytes.count)))
        chunks[last].append(bytes)
        byteCount += bytes.count
        hashes.append(UInt32(truncatingIfNeeded: hash))
        place(places.count - 1)
        return places.count - 1
    }

    private mutating func place(_ index: Int) {
        let mask = slots.count - 1
        var slot = Int(hashes[index]) & mask
        while slots[slot] != 0 { slot = (slot &+ 1) & mask }
        slots[slot] = UInt32(index + 1)
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: max(16, slots.count * 2))
        for index in places.indices { place(index) }
    }
}
