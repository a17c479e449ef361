import OrielStore
import OrielTelemetry

/// A row of one of several batches, and what it is sorted by.
struct SortKey: Sendable {
    var slot: Int64
    var time: Int64
    /// 0 for signals without row numbers.
    var ord: UInt64
    /// The ordinal of the stream in the container to be written, in the order of stream ids.
    var stream: UInt32
    var source: UInt32
    var row: UInt32

    /// The sort order of all blocks: (slot, stream, time, ord); ties by source and row, so that the last of equal samples is the newest.
    @inline(__always)
    static func < (left: SortKey, right: SortKey) -> Bool {
        if left.slot != right.slot { return left.slot < right.slot }
        if left.stream != right.stream { return left.stream < right.stream }
        if left.time != right.time { return left.time < right.time }
        if left.ord != right.ord { return left.ord < right.ord }
        if left.source != right.source { return left.source < right.source }
        return left.row < right.row
    }

    /// Whether both are samples of one stream at one time, of which only one may stay.
    @inline(__always)
    func isSameSample(as other: SortKey) -> Bool {
        stream == other.stream && time == other.time
    }
}

/// Rows of one signal in several batches, sorted and without replaced samples: what blocks are encoded from.
///
/// `streamIndexes` of the batches are the ordinals of the streams in the container to be written.
struct SortedRows: Sendable {
    let signal: Signal
    private(set) var batches: [ColumnBatch] = []
    private(set) var keys: [SortKey] = []
    /// Samples that a later one of the same stream and time replaced by another value.
    private(set) var conflictCount = 0
    /// Bytes of the rows, roughly.
    private(set) var byteCount = 0
    /// Parallel to `batches`: bytes of one row, on average.
    private var rowBytes: [Int] = []

    init(signal: Signal) {
        self.signal = signal
    }

    var count: Int { keys.count }

    /// Bytes of a row of a batch, on average: a batch is what one request or one page brought, so giants do not count for others.
    func byteCount(ofSource source: UInt32) -> Int { rowBytes[Int(source)] }

    /// Adds a batch, whose rows come later. Returns its source number.
    mutating func add(_ batch: ColumnBatch) -> UInt32 {
        batches.append(batch)
        rowBytes.append(max(1, batch.approximateByteCount / max(batch.count, 1)))
        return UInt32(batches.count - 1)
    }

    /// Adds all rows of a batch.
    mutating func append(_ batch: ColumnBatch) {
        let source = add(batch)
        byteCount += rowBytes[Int(source)] * batch.count
        let length = Slot.length(of: signal)
        for row in 0..<batch.count {
            let time = batch.times[row]
            keys.append(
                SortKey(
                    slot: time.dividedRoundingDown(by: length), time: time, ord: batch.ords.isEmpty ? 0 : batch.ords[row],
                    stream: batch.streamIndexes[row], source: source, row: UInt32(row)))
        }
    }

    /// Adds a row that sorts behind all others, for a merge. A sample that the last one equals takes its place.
    mutating func appendSorted(_ key: SortKey) {
        if !signal.hasOrds, let last = keys.last, last.isSameSample(as: key) {
            if !hasEqualValues(last, key) { conflictCount += 1 }
            keys[keys.count - 1] = key
        } else {
            keys.append(key)
            byteCount += rowBytes[Int(key.source)]
        }
    }

    /// Drops the rows before `start`, for a merge that has written them, and the batches that no other row needs. Source numbers given out before are void.
    mutating func removeRows(before start: Int) {
        keys.removeFirst(start)
        var kept: [ColumnBatch] = []
        var keptBytes: [Int] = []
        var numbers = [UInt32](repeating: .max, count: batches.count)
        byteCount = 0
        for index in keys.indices {
            let source = Int(keys[index].source)
            if numbers[source] == .max {
                numbers[source] = UInt32(kept.count)
                kept.append(batches[source])
                keptBytes.append(rowBytes[source])
            }
            keys[index].source = numbers[source]
            byteCount += rowBytes[source]
        }
        batches = kept
        rowBytes = keptBytes
    }

    /// Sorts the rows, and of samples with equal stream and time keeps the newest. O(n) for rows that come in the order of time, else O(n log n).
    mutating func sort() {
        orderKeys()
        guard !signal.hasOrds, !keys.isEmpty else { return }
        var kept = 0
        for index in 1..<max(keys.count, 1) {
            if keys[kept].isSameSample(as: keys[index]) {
                if !hasEqualValues(keys[kept], keys[index]) { conflictCount += 1 }
            } else {
                kept += 1
            }
            keys[kept] = keys[index]
        }
        keys.removeLast(keys.count - kept - 1)
    }

    /// Rows arrive about in the order of time, so putting them into their streams and these into their slots, each without changing what it need not, leaves
    /// little or nothing for a sort that compares.
    private mutating func orderKeys() {
        guard keys.count > 1 else { return }
        distribute(by: { Int($0.stream) }, limit: max(4 * keys.count, 1 << 16))
        var least = Int64.max
        var greatest = Int64.min
        for key in keys {
            least = min(least, key.slot)
            greatest = max(greatest, key.slot)
        }
        if greatest &- least > 0, greatest &- least < 4096 {
            let least = least
            distribute(by: { Int($0.slot &- least) }, limit: 4096)
        }
        var index = 1
        while index < keys.count, keys[index - 1] < keys[index] { index += 1 }
        if index < keys.count { keys.sort { $0 < $1 } }
    }

    /// Sorts by a small number of each key and keeps the order of those with the same; does nothing when one is `limit` or more.
    private mutating func distribute(by number: (SortKey) -> Int, limit: Int) {
        var greatest = 0
        for key in keys { greatest = max(greatest, number(key)) }
        guard greatest < limit else { return }
        var places = [Int](repeating: 0, count: greatest + 2)
        for key in keys { places[number(key) + 1] += 1 }
        for index in 1..<places.count { places[index] += places[index - 1] }
        var sorted = keys
        for key in keys {
            let place = number(key)
            sorted[places[place]] = key
            places[place] += 1
        }
        keys = sorted
    }

    private func hasEqualValues(_ left: SortKey, _ right: SortKey) -> Bool {
        let leftColumns = batches[Int(left.source)].columns
        let rightColumns = batches[Int(right.source)].columns
        for (leftColumn, rightColumn) in zip(leftColumns, rightColumns) {
            switch (leftColumn, rightColumn) {
            case (.integers(let a), .integers(let b)): if a[Int(left.row)] != b[Int(right.row)] { return false }
            case (.doubles(let a), .doubles(let b)): if a[Int(left.row)].bitPattern != b[Int(right.row)].bitPattern { return false }
            case (.identifiers(let a), .identifiers(let b)): if a[Int(left.row)] != b[Int(right.row)] { return false }
            case (.traceIDs(let a), .traceIDs(let b)): if a[Int(left.row)] != b[Int(right.row)] { return false }
            case (.bytes(let a), .bytes(let b)):
                if !a.bytes.span.extracting(a.range(of: Int(left.row))).isEqual(to: b.bytes.span.extracting(b.range(of: Int(right.row)))) { return false }
            default: break
            }
        }
        return true
    }
}

/// How large blocks are.
struct BlockLimits: Sendable {
    var rows: Int
    /// Bytes of the rows before they are encoded.
    var bytes: Int
    /// Rows from which on a block ends with its slot.
    var wholeSlotRows: Int

    init(signal: Signal, rows: Int? = nil, bytes: Int = 4 << 20, wholeSlotRows: Int = 8192) {
        self.rows = rows ?? (signal == .samples ? BlockDirectory.maximumRows : 65_536)
        self.bytes = bytes
        self.wholeSlotRows = wholeSlotRows
    }

    /// Cuts sorted rows into blocks: several whole slots of one day, or a part of one slot.
    func cut(_ rows: SortedRows) -> [Range<Int>] {
        let keys = rows.keys
        let slotsPerDay = Day.nanoseconds / rows.signal.nanosecondsPerTimeUnit / Slot.length(of: rows.signal)
        var ranges: [Range<Int>] = []
        var start = 0
        var startBytes = 0
        var slotStart = 0
        while slotStart < keys.count {
            let slot = keys[slotStart].slot
            var slotEnd = slotStart
            var slotBytes = 0
            while slotEnd < keys.count, keys[slotEnd].slot == slot {
                slotBytes += rows.byteCount(ofSource: keys[slotEnd].source)
                slotEnd += 1
            }
            if slotStart > start {
                let isSameDay = keys[start].slot.dividedRoundingDown(by: slotsPerDay) == slot.dividedRoundingDown(by: slotsPerDay)
                let isFull = slotStart - start >= wholeSlotRows || slotEnd - start > self.rows || startBytes + slotBytes > bytes
                if !isSameDay || isFull {
                    ranges.append(start..<slotStart)
                    start = slotStart
                    startBytes = 0
                }
            }
            startBytes += slotBytes
            if slotEnd - start > self.rows || startBytes > bytes {
                ranges.append(contentsOf: parts(of: start..<slotEnd, byteCount: startBytes, rows))
                start = slotEnd
                startBytes = 0
            }
            slotStart = slotEnd
        }
        if start < keys.count { ranges.append(start..<keys.count) }
        return ranges
    }

    /// Cuts a slot that is too large for one block into parts of about equal size.
    private func parts(of range: Range<Int>, byteCount: Int, _ rows: SortedRows) -> [Range<Int>] {
        let count = max((range.count + self.rows - 1) / self.rows, (byteCount + bytes - 1) / bytes)
        let partRows = (range.count + count - 1) / count
        let partBytes = (byteCount + count - 1) / count
        var ranges: [Range<Int>] = []
        var start = range.lowerBound
        var startBytes = 0
        for index in range {
            let size = rows.byteCount(ofSource: rows.keys[index].source)
            if index > start, index - start >= partRows || startBytes + size > partBytes {
                ranges.append(start..<index)
                start = index
                startBytes = 0
            }
            startBytes += size
        }
        ranges.append(start..<range.upperBound)
        return ranges
    }
}
