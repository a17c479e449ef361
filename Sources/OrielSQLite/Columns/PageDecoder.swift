import OrielCompression
import OrielTelemetry

/// A page that a decoder opened, put aside: its bytes are checked and inflated, its values not decoded.
struct OpenedPage {
    fileprivate var codec = PageCodec.integers
    fileprivate var rowCount = 0
    fileprivate var valueCount = 0
    fileprivate var bitmap: [UInt64] = []
    fileprivate var body: [UInt8] = []
    fileprivate var values = 0
    fileprivate var section = IntegerDecoder()

    /// Bytes of memory, roughly.
    var byteCount: Int { body.capacity + bitmap.capacity * 8 + section.byteCount }
}

/// Decodes pages. One value serves one thread and keeps its buffers and zstd context from page to page.
///
/// `open` checks the page and makes its body ready; the calls after it append that page's values, one per row that has one, to arrays of the
/// caller. Bytes that no encoder wrote throw `ColumnError`, and take no more memory than their own checked sizes say.
struct PageDecoder: ~Copyable {
    private(set) var codec = PageCodec.integers
    /// Rows of the page.
    private(set) var rowCount = 0
    /// Rows that have a value.
    private(set) var valueCount = 0
    /// Which rows have a value; empty when all have.
    private(set) var bitmap: [UInt64] = []

    private var decompressor = ZstdDecompressor()
    private var body: [UInt8] = []
    private var values = 0
    private var section = IntegerDecoder()
    private var auxiliary = IntegerDecoder()
    private var lengths: [Int64] = []
    private var prefixes: [Int64] = []

    /// Checks the CRC of `page` and reads its head. `page` is exactly one page.
    mutating func open(_ page: Span<UInt8>) throws(ColumnError) {
        let end = page.count - 4
        guard end >= 2 else { throw ColumnError(.truncated(needed: 6 - page.count), at: page.count) }
        var offset = end
        let stored = try page.readLittleEndian(&offset, as: UInt32.self)
        let content = page.extracting(0..<end)
        let computed = CRC32C.checksum(content)
        guard stored == computed else { throw ColumnError(.checksum(stored: stored, computed: computed), at: end) }
        guard content[0] == Page.version else { throw ColumnError(.version(content[0]), at: 0) }
        guard let codec = PageCodec(rawValue: content[1] & 0x0f) else { throw ColumnError(.codec(found: content[1] & 0x0f), at: 1) }
        guard let presence = Presence(rawValue: (content[1] >> 4) & 0x07) else {
            throw ColumnError(.malformed("presence \((content[1] >> 4) & 0x07) is not known"), at: 1)
        }
        offset = 2
        let rows = try content.readCount(&offset, limit: Page.maximumRows)
        let count = presence == .all ? rows : try content.readCount(&offset, limit: rows)
        body.removeAll(keepingCapacity: true)
        if content[1] & Page.zstdFlag != 0 {
            let size = try content.readCount(&offset, limit: Page.maximumBytes)
            do {
                try decompressor.decompress(content.extracting(offset..<content.count), exactSize: size, appendingTo: &body)
            } catch {
                throw ColumnError(.inflate, at: offset)
            }
        } else {
            body.append(content, offset..<content.count)
        }
        self.codec = codec
        rowCount = rows
        valueCount = count
        values = 0
        let body = self.body
        try presence.read(body.span, at: &values, rows: rows, present: count, decoder: &section, into: &bitmap)
        if codec == .integers {
            var end = values
            try section.open(body.span, at: &end, count: count)
            try expectEnd(end)
        }
    }

    /// Exchanges the opened page with one that was opened before.
    mutating func exchange(_ page: inout OpenedPage) {
        swap(&codec, &page.codec)
        swap(&rowCount, &page.rowCount)
        swap(&valueCount, &page.valueCount)
        swap(&bitmap, &page.bitmap)
        swap(&body, &page.body)
        swap(&values, &page.values)
        swap(&section, &page.section)
    }

    /// Groups of 128 values that `appendIntegers(group:to:)` can decode.
    var groupCount: Int { section.groupCount }

    /// Whether a group of integers can be decoded without those before it.
    var hasSeparateGroups: Bool { section.hasSeparateGroups }

    mutating func appendIntegers(to output: inout [Int64]) throws(ColumnError) {
        try expect(.integers)
        // The spans below borrow a second reference to the array, so that the other stored properties stay free to change.
        let body = self.body
        try section.decode(body.span, into: &output)
    }

    /// Appends values `index * 128 ..< (index + 1) * 128`, or fewer at the end, without decoding the other groups.
    mutating func appendIntegers(group index: Int, to output: inout [Int64]) throws(ColumnError) {
        try expect(.integers)
        // The spans below borrow a second reference to the array, so that the other stored properties stay free to change.
        let body = self.body
        try section.decode(group: index, body.span, into: &output)
    }

    mutating func appendDoubles(to output: inout [Double]) throws(ColumnError) {
        switch codec {
        case .decimals: try appendDecimals(to: &output)
        case .shuffledDoubles:
            guard body.count - values == valueCount * 8 else {
                throw ColumnError(.malformed("\(body.count - values) bytes for \(valueCount) doubles"), at: values)
            }
            let count = valueCount
            let start = values
            let body = self.body
            let input = body.span
            output.reserveCapacity(output.count + count)
            for index in 0..<count {
                var bits: UInt64 = 0
                for plane in 0..<8 { bits |= UInt64(input[start + plane * count + index]) << UInt64(plane * 8) }
                output.append(Double(bitPattern: bits))
            }
        default: throw ColumnError(.codec(found: codec.rawValue), at: 1)
        }
    }

    /// Appends some of the values: those of `indexes`, which ascend. Of a page of decimals only the groups of 128 that hold them are decoded, if they lie apart,
    /// and byte planes are added up.
    mutating func appendDoubles(_ indexes: [Int], to output: inout [Double]) throws(ColumnError) {
        let body = self.body
        let input = body.span
        switch codec {
        case .decimals:
            let (power, exceptions) = try openDecimals()
            let start = output.count
            output.reserveCapacity(start + indexes.count)
            lengths.removeAll(keepingCapacity: true)
            if section.hasSeparateGroups, indexes.count * 8 < valueCount {
                var group = -1
                for index in indexes {
                    if index / BitPacking.groupSize != group {
                        group = index / BitPacking.groupSize
                        lengths.removeAll(keepingCapacity: true)
                        try section.decode(group: group, input, into: &lengths)
                    }
                    output.append(Double(lengths[index % BitPacking.groupSize]) / power)
                }
            } else if !section.hasSeparateGroups, indexes.count * 8 < valueCount {
                try section.decodePlanes(at: indexes, input, into: &lengths)
                for mantissa in lengths { output.append(Double(mantissa) / power) }
            } else {
                try section.decode(input, into: &lengths)
                for index in indexes { output.append(Double(lengths[index]) / power) }
            }
            try readExceptions(at: exceptions) { row, value in
                var low = 0
                var high = indexes.count
                while low < high {
                    let middle = (low + high) / 2
                    if indexes[middle] < row { low = middle + 1 } else { high = middle }
                }
                if low < indexes.count, indexes[low] == row { output[start + low] = value }
            }
        case .shuffledDoubles:
            guard body.count - values == valueCount * 8 else {
                throw ColumnError(.malformed("\(body.count - values) bytes for \(valueCount) doubles"), at: values)
            }
            for index in indexes {
                var bits: UInt64 = 0
                for plane in 0..<8 { bits |= UInt64(input[values + plane * valueCount + index]) << UInt64(plane * 8) }
                output.append(Double(bitPattern: bits))
            }
        default: throw ColumnError(.codec(found: codec.rawValue), at: 1)
        }
    }

    private mutating func appendDecimals(to output: inout [Double]) throws(ColumnError) {
        let (power, exceptions) = try openDecimals()
        let body = self.body
        lengths.removeAll(keepingCapacity: true)
        try section.decode(body.span, into: &lengths)
        let start = output.count
        output.reserveCapacity(start + valueCount)
        for mantissa in lengths { output.append(Double(mantissa) / power) }
        try readExceptions(at: exceptions) { row, value in output[start + row] = value }
    }

    /// Makes the mantissas of a page of decimals ready in `section` and the rows of its exceptions in `prefixes`.
    ///
    /// - Returns: the power of ten that mantissas are divided by, and where the bits of the exceptions lie.
    private mutating func openDecimals() throws(ColumnError) -> (power: Double, exceptions: Int) {
        let body = self.body
        let input = body.span
        var offset = values
        let exponent = Int(try input.readByte(&offset))
        guard exponent <= DecimalDoubles.maximumExponent else {
            throw ColumnError(.count(found: UInt64(exponent), limit: UInt64(DecimalDoubles.maximumExponent)), at: offset - 1)
        }
        let exceptionCount = try input.readCount(&offset, limit: valueCount)
        prefixes.removeAll(keepingCapacity: true)
        var exceptionBits = offset
        if exceptionCount > 0 {
            try auxiliary.open(input, at: &offset, count: exceptionCount)
            try auxiliary.decode(input, into: &prefixes)
            exceptionBits = offset
            guard exceptionCount * 8 <= input.count - offset else {
                throw ColumnError(.truncated(needed: exceptionCount * 8 - (input.count - offset)), at: offset)
            }
            offset += exceptionCount * 8
        }
        try section.open(input, at: &offset, count: valueCount)
        try expectEnd(offset)
        return (DecimalDoubles.powers[exponent], exceptionBits)
    }

    /// Hands over the values of a page of decimals that are no decimals.
    private func readExceptions(at offset: Int, _ body: (Int, Double) -> Void) throws(ColumnError) {
        var offset = offset
        for row in prefixes {
            guard row >= 0, row < valueCount else {
                throw ColumnError(.malformed("exception row \(row) of \(valueCount)"), at: values)
            }
            body(Int(row), Double(bitPattern: try self.body.span.readLittleEndian(&offset)))
        }
    }

    /// Appends the strings of a page of bytes: their content to `bytes`, the offset behind each to `ends`.
    mutating func appendBytes(to bytes: inout [UInt8], ends: inout [UInt32]) throws(ColumnError) {
        try expect(.bytes)
        let content = try openLengths()
        let start = UInt64(bytes.count)
        guard start + UInt64(content.count) <= UInt64(UInt32.max) else {
            throw ColumnError(.count(found: start + UInt64(content.count), limit: UInt64(UInt32.max)), at: content.lowerBound)
        }
        bytes.append(body.span, content)
        var end = UInt32(start)
        ends.reserveCapacity(ends.count + lengths.count)
        for length in lengths {
            end += UInt32(length)
            ends.append(end)
        }
    }

    /// Where the strings of a page of bytes lie in `body`, one after another; their lengths are in `lengths`.
    private mutating func openLengths() throws(ColumnError) -> Range<Int> {
        var offset = values
        let body = self.body
        let input = body.span
        try section.open(input, at: &offset, count: valueCount)
        lengths.removeAll(keepingCapacity: true)
        try section.decode(input, into: &lengths)
        let available = Int64(input.count - offset)
        var total: Int64 = 0
        for length in lengths {
            guard length >= 0, length <= available - total else {
                throw ColumnError(.malformed("lengths exceed the \(available) bytes that follow them"), at: offset)
            }
            total += length
        }
        try expectEnd(offset + Int(total))
        return offset..<(offset + Int(total))
    }

    /// The distinct sorted strings of a dictionary page.
    mutating func dictionary() throws(ColumnError) -> ByteColumn {
        try expect(.dictionary)
        var offset = values
        let body = self.body
        let input = body.span
        try section.open(input, at: &offset, count: valueCount)
        prefixes.removeAll(keepingCapacity: true)
        try section.decode(input, into: &prefixes)
        try section.open(input, at: &offset, count: valueCount)
        lengths.removeAll(keepingCapacity: true)
        try section.decode(input, into: &lengths)
        // All sizes are checked before the first byte is copied: shared prefixes multiply, so few bytes could ask for many.
        let available = Int64(input.count - offset)
        var previous: Int64 = 0
        var suffixTotal: Int64 = 0
        var total: Int64 = 0
        for index in 0..<valueCount {
            guard lengths[index] >= 0, lengths[index] <= available - suffixTotal, prefixes[index] >= 0, prefixes[index] <= previous else {
                throw ColumnError(.malformed("entry \(index) of the dictionary has lengths that do not fit"), at: offset)
            }
            suffixTotal += lengths[index]
            previous = prefixes[index] + lengths[index]
            total += previous
            guard total <= Int64(Page.maximumBytes) else {
                throw ColumnError(.count(found: UInt64(total), limit: UInt64(Page.maximumBytes)), at: offset)
            }
        }
        try expectEnd(offset + Int(suffixTotal))
        var result = ByteColumn()
        result.reserveCapacity(valueCount, bytes: Int(total))
        var current: [UInt8] = []
        for index in 0..<valueCount {
            current.removeLast(current.count - Int(prefixes[index]))
            current.append(input, offset..<(offset + Int(lengths[index])))
            offset += Int(lengths[index])
            result.append(current.span)
        }
        return result
    }

    mutating func appendIdentifiers(to output: inout [UInt64]) throws(ColumnError) {
        try expect(.identifiers)
        try expectEnd(values + valueCount * 8)
        var offset = values
        let body = self.body
        let input = body.span
        output.reserveCapacity(output.count + valueCount)
        for _ in 0..<valueCount { output.append(try input.readLittleEndian(&offset)) }
    }

    mutating func appendWideIdentifiers(to output: inout [TraceID]) throws(ColumnError) {
        try expect(.wideIdentifiers)
        try expectEnd(values + valueCount * 16)
        var offset = values
        let body = self.body
        let input = body.span
        output.reserveCapacity(output.count + valueCount)
        for _ in 0..<valueCount {
            let high: UInt64 = try input.readLittleEndian(&offset)
            output.append(TraceID(high: high, low: try input.readLittleEndian(&offset)))
        }
    }

    private func expect(_ expected: PageCodec) throws(ColumnError) {
        guard codec == expected else { throw ColumnError(.codec(found: codec.rawValue), at: 1) }
    }

    private func expectEnd(_ offset: Int) throws(ColumnError) {
        guard offset == body.count else {
            throw ColumnError(.malformed("the body has \(body.count) bytes, \(offset) are described"), at: offset)
        }
    }
}
