/// Which rows of a page have a value, as a bitmap: bit i of word i / 64. An empty bitmap of a non-empty page means every row has one.
///
/// On disk it is whichever is smallest of nothing at all (every row), the bitmap, or the list of the rows that have a value.
enum Presence: UInt8, Sendable {
    case all = 0
    case bitmap = 1
    case positions = 2

    /// Words that a bitmap of `rows` rows has.
    static func wordCount(rows: Int) -> Int { (rows + 63) >> 6 }

    /// Number of set bits among the first `rows`.
    static func count(_ bitmap: Span<UInt64>, rows: Int) -> Int {
        var total = 0
        for index in 0..<wordCount(rows: rows) {
            total += (bitmap[index] & mask(word: index, rows: rows)).nonzeroBitCount
        }
        return total
    }

    /// The bits of word `index` that stand for rows at all.
    static func mask(word index: Int, rows: Int) -> UInt64 {
        let left = rows - index * 64
        return left >= 64 ? UInt64.max : (1 << UInt64(max(left, 0))) - 1
    }

    /// Appends the smallest encoding of `bitmap` and returns its kind. `present` is the number of set bits.
    static func append(
        _ bitmap: Span<UInt64>, rows: Int, present: Int, encoder: inout IntegerEncoder, to bytes: inout [UInt8]
    ) -> Presence {
        if present == rows { return .all }
        let bitmapSize = (rows + 7) >> 3
        let start = bytes.count
        // A position takes at least a bit, and twelve on average at this density, so a dense bitmap is not even tried as a list.
        if present * 8 <= bitmapSize * 8 {
            var positions: [Int64] = []
            positions.reserveCapacity(present)
            for index in 0..<wordCount(rows: rows) {
                var word = bitmap[index] & mask(word: index, rows: rows)
                while word != 0 {
                    positions.append(Int64(index * 64 + word.trailingZeroBitCount))
                    word &= word - 1
                }
            }
            encoder.append(positions.span, to: &bytes)
            if bytes.count - start <= bitmapSize { return .positions }
            bytes.removeSubrange(start...)
        }
        for index in 0..<wordCount(rows: rows) {
            let word = bitmap[index] & mask(word: index, rows: rows)
            for byte in 0..<min(8, bitmapSize - index * 8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(byte * 8)))
            }
        }
        return .bitmap
    }

    /// Reads a presence of this kind at `offset` into `bitmap`, replacing its content, and moves `offset` behind it.
    func read(
        _ bytes: Span<UInt8>, at offset: inout Int, rows: Int, present: Int, decoder: inout IntegerDecoder, into bitmap: inout [UInt64]
    ) throws(ColumnError) {
        bitmap.removeAll(keepingCapacity: true)
        let start = offset
        switch self {
        case .all: return
        case .bitmap:
            let size = (rows + 7) >> 3
            guard size <= bytes.count - offset else { throw ColumnError(.truncated(needed: size - (bytes.count - offset)), at: offset) }
            bitmap.append(contentsOf: repeatElement(0, count: Presence.wordCount(rows: rows)))
            for index in 0..<size {
                bitmap[index >> 3] |= UInt64(bytes[offset + index]) << UInt64((index & 7) * 8)
            }
            offset += size
            if let last = bitmap.indices.last, bitmap[last] & ~Presence.mask(word: last, rows: rows) != 0 {
                throw ColumnError(.malformed("the presence bitmap marks rows behind the last"), at: start)
            }
        case .positions:
            bitmap.append(contentsOf: repeatElement(0, count: Presence.wordCount(rows: rows)))
            try decoder.open(bytes, at: &offset, count: present)
            var positions: [Int64] = []
            try decoder.decode(bytes, into: &positions)
            for position in positions {
                guard position >= 0, position < rows else {
                    throw ColumnError(.malformed("position \(position) is outside the \(rows) rows"), at: start)
                }
                bitmap[Int(position >> 6)] |= 1 << UInt64(position & 63)
            }
        }
        let found = Presence.count(bitmap.span, rows: rows)
        guard found == present else {
            throw ColumnError(.malformed("\(found) rows are marked, \(present) values are stated"), at: start)
        }
    }
}
