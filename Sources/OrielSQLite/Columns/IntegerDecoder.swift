import OrielTelemetry

/// Decodes a section that `IntegerEncoder` wrote: wholly, or one group of 128 values at a time.
///
/// Opening reads only the heads of the groups. The decoder keeps offsets into the bytes but not the bytes themselves: hand it the same ones
/// that it was opened on.
struct IntegerDecoder {
    private struct Group {
        var form: IntegerForm
        var width: Int
        /// Byte offset of the packed bits.
        var offset: Int
        var base: Int64
        var delta: Int64
        var least: Int64
    }

    private(set) var count = 0
    private var scheme = IntegerScheme.constant
    private var groups: [Group] = []
    private var constant: Int64 = 0
    private var planes = 0
    private var planesOffset = 0

    /// Whether a group can be decoded without those before it.
    var hasSeparateGroups: Bool { scheme != .planes }

    var groupCount: Int { (count + BitPacking.groupSize - 1) / BitPacking.groupSize }

    /// Bytes of memory for the heads of the groups.
    var byteCount: Int { groups.capacity * MemoryLayout<Group>.stride }

    /// Reads the heads of a section of `count` values at `offset` and moves `offset` behind the section.
    mutating func open(_ bytes: Span<UInt8>, at offset: inout Int, count: Int) throws(ColumnError) {
        self.count = count
        let start = offset
        groups.removeAll(keepingCapacity: true)
        guard let scheme = IntegerScheme(rawValue: try bytes.readByte(&offset)) else {
            throw ColumnError(.malformed("integer scheme \(bytes[start]) is not known"), at: start)
        }
        self.scheme = scheme
        switch scheme {
        case .constant:
            constant = try bytes.readZigzag(&offset)
        case .planes:
            constant = try bytes.readZigzag(&offset)
            let position = offset
            planes = Int(try bytes.readByte(&offset))
            guard planes <= 8 else { throw ColumnError(.count(found: UInt64(planes), limit: 8), at: position) }
            planesOffset = offset
            guard planes == 0 || count <= (bytes.count - offset) / planes else {
                throw ColumnError(.truncated(needed: planes * count - (bytes.count - offset)), at: offset)
            }
            offset += planes * count
        case .groups:
            try openGroups(bytes, at: &offset)
        }
    }

    private mutating func openGroups(_ bytes: Span<UInt8>, at offset: inout Int) throws(ColumnError) {
        let total = groupCount
        // Each head takes at least two bytes, so a hostile count cannot make the array large.
        guard total <= (bytes.count - offset) / 2 else {
            throw ColumnError(.truncated(needed: total * 2 - (bytes.count - offset)), at: offset)
        }
        groups.reserveCapacity(total)
        var base: Int64 = 0
        for _ in 0..<total {
            let start = offset
            let head = try bytes.readByte(&offset)
            guard let form = IntegerForm(rawValue: head / 65) else {
                throw ColumnError(.malformed("group head \(head) is not known"), at: start)
            }
            base &+= try bytes.readZigzag(&offset)
            var group = Group(form: form, width: Int(head % 65), offset: 0, base: base, delta: 0, least: 0)
            switch form {
            case .frameOfReference: break
            case .delta: group.least = try bytes.readZigzag(&offset)
            case .deltaOfDelta:
                group.delta = try bytes.readZigzag(&offset)
                group.least = try bytes.readZigzag(&offset)
            }
            groups.append(group)
        }
        for index in groups.indices {
            groups[index].offset = offset
            let size = BitPacking.byteCount(count: rows(of: index).count, width: groups[index].width)
            guard size <= bytes.count - offset else {
                throw ColumnError(.truncated(needed: size - (bytes.count - offset)), at: offset)
            }
            offset += size
        }
    }

    /// The rows that group `index` holds.
    func rows(of index: Int) -> Range<Int> {
        (index * BitPacking.groupSize)..<min((index + 1) * BitPacking.groupSize, count)
    }

    /// Appends all values. O(count).
    func decode(_ bytes: Span<UInt8>, into values: inout [Int64]) throws(ColumnError) {
        let start = values.count
        switch scheme {
        case .constant:
            values.append(contentsOf: repeatElement(constant, count: count))
        case .planes:
            values.append(contentsOf: repeatElement(0, count: count))
            try decodePlanes(bytes, into: &values, at: start)
        case .groups:
            values.append(contentsOf: repeatElement(0, count: count))
            for index in groups.indices {
                try decode(index, bytes, into: &values, at: start + index * BitPacking.groupSize)
            }
        }
    }

    /// Appends the values of group `index`: O(128) for packed groups and constants, O(count) for byte planes.
    func decode(group index: Int, _ bytes: Span<UInt8>, into values: inout [Int64]) throws(ColumnError) {
        precondition(index >= 0 && index < groupCount)
        let start = values.count
        let rows = rows(of: index)
        switch scheme {
        case .constant:
            values.append(contentsOf: repeatElement(constant, count: rows.count))
        case .planes:
            values.append(contentsOf: repeatElement(0, count: rows.upperBound))
            try decodePlanes(bytes, into: &values, at: start)
            values.removeSubrange(start..<(start + rows.lowerBound))
        case .groups:
            values.append(contentsOf: repeatElement(0, count: rows.count))
            try decode(index, bytes, into: &values, at: start)
        }
    }

    /// Appends the values of some rows of a section of byte planes, `indexes`, which ascend. O(the last of them), but several times as fast as decoding all:
    /// what lies between is added up and not written down.
    func decodePlanes(at indexes: [Int], _ bytes: Span<UInt8>, into values: inout [Int64]) throws(ColumnError) {
        precondition(scheme == .planes && (indexes.last ?? 0) < max(count, 1))
        try checkPlanes(bytes)
        var value = constant
        var next = 0
        for index in indexes {
            value &+= differences(of: next..<(index + 1), bytes)
            next = index + 1
            values.append(value)
        }
    }

    /// The sum of the differences that the planes hold for some rows.
    ///
    /// The planes are added up one after the other, each as what its bits are of the differences; those of few rows, row after row.
    private func differences(of rows: Range<Int>, _ bytes: Span<UInt8>) -> Int64 {
        if rows.count < 8 {
            var total: Int64 = 0
            for row in rows {
                var code: UInt64 = 0
                var offset = planesOffset &+ row
                for plane in 0..<planes {
                    code |= UInt64(bytes[offset]) &<< UInt64(truncatingIfNeeded: plane &* 8)
                    offset &+= count
                }
                total &+= Int64(zigzag: code)
            }
            return total
        }
        var total: UInt64 = 0
        for plane in 0..<planes { total &+= sum(ofPlane: plane, rows, bytes) << UInt64(plane * 8) }
        return Int64(bitPattern: total)
    }

    /// The sum of one byte of the differences of some rows, of the highest byte as a signed number.
    ///
    /// A code's lowest bit tells whether the difference is the complement of the others, which lie one bit above their place. Eight rows are decoded at a time, and bytes are added
    /// in lanes of 16 bits.
    private func sum(ofPlane plane: Int, _ rows: Range<Int>, _ bytes: Span<UInt8>) -> UInt64 {
        let isHighest = plane == planes - 1
        func place(ofPlane plane: Int) -> Range<Int> {
            let offset = planesOffset + plane * count
            return (offset + rows.lowerBound)..<(offset + rows.upperBound)
        }
        let signs = bytes.extracting(place(ofPlane: 0))
        let codes = bytes.extracting(place(ofPlane: plane))
        let above = isHighest ? codes : bytes.extracting(place(ofPlane: plane + 1))
        // Above the highest plane there is nothing; there, signed bytes are counted up from the least, which is taken off at the end.
        let aboveBits = isHighest ? 0 : Self.lowestBits
        let bias = isHighest ? Self.highestBits : 0

        func differences(_ code: UInt64, _ above: UInt64, _ sign: UInt64) -> UInt64 {
            let sign = sign & Self.lowestBits
            let shifted = (code >> 1) & ~Self.highestBits | (above & aboveBits) << 7
            return shifted ^ ((sign << 8) &- sign) ^ bias
        }
        var total: UInt64 = 0
        var row = 0
        while row + 8 <= codes.count {
            // The sums of so many rows fit their lanes: 128 words bring two bytes each.
            let end = min(codes.count - 7, row + 128 * 8)
            var lanes: UInt64 = 0
            while row < end {
                let bytes = differences(codes.word(at: row), above.word(at: row), signs.word(at: row))
                lanes &+= (bytes & Self.evenBytes) &+ ((bytes >> 8) & Self.evenBytes)
                row += 8
            }
            for shift: UInt64 in [0, 16, 32, 48] { total &+= (lanes >> shift) & 0xFFFF }
        }
        while row < codes.count {
            total &+= differences(UInt64(codes[row]), UInt64(above[row]), UInt64(signs[row])) & 0xFF
            row += 1
        }
        return isHighest ? total &- 0x80 &* UInt64(codes.count) : total
    }

    private static let lowestBits: UInt64 = 0x0101_0101_0101_0101
    private static let highestBits: UInt64 = 0x8080_8080_8080_8080
    private static let evenBytes: UInt64 = 0x00FF_00FF_00FF_00FF

    private func checkPlanes(_ bytes: Span<UInt8>) throws(ColumnError) {
        guard planesOffset + planes * count <= bytes.count else {
            throw ColumnError(.truncated(needed: planesOffset + planes * count - bytes.count), at: bytes.count)
        }
    }

    private func decode(_ index: Int, _ bytes: Span<UInt8>, into values: inout [Int64], at start: Int) throws(ColumnError) {
        let group = groups[index]
        let count = rows(of: index).count
        try BitPacking.unpack(bytes, at: group.offset, count: count, width: group.width, into: &values, at: start)
        var output = values.mutableSpan
        switch group.form {
        case .frameOfReference:
            if group.base != 0 {
                for row in start..<(start + count) { output[row] &+= group.base }
            }
        case .delta:
            var value = group.base
            output[start] = value
            for row in (start + 1)..<max(start + count, start + 1) {
                value &+= output[row] &+ group.least
                output[row] = value
            }
        case .deltaOfDelta:
            var value = group.base
            var delta = group.delta
            output[start] = value
            guard count > 1 else { return }
            value &+= delta
            output[start + 1] = value
            for row in (start + 2)..<max(start + count, start + 2) {
                delta &+= output[row] &+ group.least
                value &+= delta
                output[row] = value
            }
        }
    }

    /// Writes as many leading values as `values` has room for after `start`.
    private func decodePlanes(_ bytes: Span<UInt8>, into values: inout [Int64], at start: Int) throws(ColumnError) {
        try checkPlanes(bytes)
        var output = values.mutableSpan
        let length = output.count - start
        // What is stored as planes mostly has one or two: these are put together in the pass that adds up.
        if planes == 1 {
            let input = bytes.extracting(planesOffset..<(planesOffset + length))
            var value = constant
            for row in input.indices {
                value &+= Int64(zigzag: UInt64(input[row]))
                output[start + row] = value
            }
            return
        }
        if planes == 2 {
            let low = bytes.extracting(planesOffset..<(planesOffset + length))
            let high = bytes.extracting((planesOffset + count)..<(planesOffset + count + length))
            var value = constant
            for row in low.indices {
                value &+= Int64(zigzag: UInt64(low[row]) | UInt64(high[row]) << 8)
                output[start + row] = value
            }
            return
        }
        for plane in 0..<planes {
            let shift = Int64(plane * 8)
            let input = bytes.extracting((planesOffset + plane * count)..<(planesOffset + (plane + 1) * count))
            for row in 0..<length { output[start + row] |= Int64(input[row]) << shift }
        }
        var value = constant
        for row in start..<(start + length) {
            value &+= Int64(zigzag: UInt64(bitPattern: output[row]))
            output[row] = value
        }
    }
}
