import OrielCompression
import OrielTelemetry

/// Cuts a column's values into pages and encodes them: the one place that knows how large pages are.
///
/// `positions` are the rows, ascending, that have a value; `nil` means all rows have one.
struct ColumnPager: ~Copyable {
    static let pageRows = 8192
    static let pageBytes = 32 << 10
    /// Data up to this size lies in the directory.
    static let inlineBytes = 512
    /// Most distinct values of a dictionary, and most bytes of these.
    static let dictionaryValues = 65_536
    static let dictionaryBytes = 1 << 20

    private var encoder: PageEncoder
    private(set) var columns: [BlockColumn] = []
    private(set) var data: [[UInt8]] = []
    /// The filters' data, parallel to `columns`.
    private var filters: [[UInt8]] = []
    private var builder = FilterBuilder()

    init(level: Int) {
        encoder = PageEncoder(level: level)
    }

    /// Hands over the columns encoded so far and starts anew.
    mutating func take() -> (columns: [BlockColumn], data: [[UInt8]], filters: [[UInt8]]) {
        let taken = (columns, data, filters)
        columns = []
        data = []
        filters = []
        return taken
    }

    /// - Parameter cuts: row numbers at which a page must end, ascending; for vectors of times.
    mutating func append(
        _ name: BlockColumnName, integers values: Span<Int64>, positions: [UInt32]? = nil, rowCount: Int, cuts: [Int] = []
    ) throws(CompressionError) {
        var column = BlockColumn(name: name, form: .integers)
        var bytes: [UInt8] = []
        for page in Self.pages(positions: positions, rowCount: rowCount, cuts: cuts) {
            let start = bytes.count
            let part = values.extracting(page.values)
            try encoder.append(integers: part, rows: Self.rows(page, positions), to: &bytes)
            var entry = Self.entry(page, start, bytes.count)
            if !part.isEmpty {
                entry.minimum = part[0]
                entry.maximum = part[0]
                for index in part.indices {
                    entry.minimum = min(entry.minimum, part[index])
                    entry.maximum = max(entry.maximum, part[index])
                }
            }
            column.pages.append(entry)
        }
        finish(column, bytes)
    }

    mutating func append(
        _ name: BlockColumnName, doubles values: Span<Double>, positions: [UInt32]? = nil, rowCount: Int
    ) throws(CompressionError) {
        var column = BlockColumn(name: name, form: .doubles)
        var bytes: [UInt8] = []
        for page in Self.pages(positions: positions, rowCount: rowCount) {
            let start = bytes.count
            let part = values.extracting(page.values)
            try encoder.append(doubles: part, rows: Self.rows(page, positions), to: &bytes)
            var entry = Self.entry(page, start, bytes.count)
            var least = Double.infinity
            var greatest = -Double.infinity
            for index in part.indices where !part[index].isNaN {
                least = min(least, part[index])
                greatest = max(greatest, part[index])
            }
            entry.minimum = Int64(bitPattern: least.bitPattern)
            entry.maximum = Int64(bitPattern: greatest.bitPattern)
            column.pages.append(entry)
        }
        finish(column, bytes)
    }

    mutating func append(
        _ name: BlockColumnName, identifiers values: Span<UInt64>, positions: [UInt32]?, rowCount: Int
    ) throws(CompressionError) {
        var column = BlockColumn(name: name, form: .identifiers)
        var bytes: [UInt8] = []
        for page in Self.pages(positions: positions, rowCount: rowCount) {
            let start = bytes.count
            try encoder.append(identifiers: values.extracting(page.values), rows: Self.rows(page, positions), to: &bytes)
            column.pages.append(Self.entry(page, start, bytes.count))
        }
        finish(column, bytes)
    }

    /// As a dictionary where few values are distinct, else as bytes.
    mutating func append(
        _ name: BlockColumnName, strings values: ByteColumn, positions: [UInt32]?, rowCount: Int, filter: FilterPlan = .none
    ) throws(CompressionError) {
        if let (dictionary, codes) = Self.dictionary(of: values) {
            var column = BlockColumn(name: name, form: .dictionary)
            var bytes: [UInt8] = []
            try encoder.append(dictionary: dictionary, to: &bytes)
            column.dictionaryByteCount = bytes.count
            for page in Self.pages(positions: positions, rowCount: rowCount) {
                let start = bytes.count
                try encoder.append(integers: codes.span.extracting(page.values), rows: Self.rows(page, positions), to: &bytes)
                column.pages.append(Self.entry(page, start, bytes.count))
            }
            if column.dictionaryByteCount > FilterBuilder.minimumDictionaryBytes {
                finish(column, bytes, builder.build(filter, values, distinct: dictionary))
            } else {
                finish(column, bytes)
            }
            return
        }
        var column = BlockColumn(name: name, form: .bytes)
        var bytes: [UInt8] = []
        for page in Self.pages(positions: positions, rowCount: rowCount, ends: values.ends) {
            let start = bytes.count
            let first = page.values.lowerBound == 0 ? 0 : values.ends[page.values.lowerBound - 1]
            try encoder.append(
                bytes: values.bytes.span, start: first, ends: values.ends.span.extracting(page.values), rows: Self.rows(page, positions), to: &bytes)
            column.pages.append(Self.entry(page, start, bytes.count))
        }
        if bytes.count > FilterBuilder.minimumColumnBytes {
            finish(column, bytes, builder.build(filter, values, distinct: nil))
        } else {
            finish(column, bytes)
        }
    }

    private mutating func finish(
        _ column: consuming BlockColumn, _ bytes: consuming [UInt8], _ built: (entries: [BlockColumn.FilterEntry], bytes: [UInt8]) = ([], [])
    ) {
        var filterBytes = built.bytes
        column.filters = built.entries
        if !built.entries.isEmpty, filterBytes.count <= Self.inlineBytes {
            column.inlineFilters = filterBytes
            filterBytes = []
        }
        filters.append(filterBytes)
        if bytes.count <= Self.inlineBytes {
            column.inline = bytes
            data.append([])
        } else {
            data.append(bytes)
        }
        columns.append(column)
    }

    // MARK: Pages

    /// Rows of a page and the values that these have.
    struct PageRange {
        var rows: Range<Int>
        var values: Range<Int>
    }

    private static func entry(_ page: PageRange, _ start: Int, _ end: Int) -> BlockColumn.PageEntry {
        BlockColumn.PageEntry(
            firstRow: page.rows.lowerBound, rowCount: page.rows.count, valueCount: page.values.count, offset: start, byteCount: end - start,
            minimum: 0, maximum: 0)
    }

    private static func rows(_ page: PageRange, _ positions: [UInt32]?) -> PageEncoder.Rows {
        guard let positions, page.values.count < page.rows.count else { return PageEncoder.Rows(count: page.rows.count) }
        var bitmap = [UInt64](repeating: 0, count: Presence.wordCount(rows: page.rows.count))
        for index in page.values {
            let row = Int(positions[index]) - page.rows.lowerBound
            bitmap[row >> 6] |= 1 << UInt64(row & 63)
        }
        return PageEncoder.Rows(count: page.rows.count, bitmap: bitmap)
    }

    /// Cuts at 8192 rows, at `cuts`, and, if `ends` are given, where a page's strings exceed 32 KB.
    static func pages(positions: [UInt32]?, rowCount: Int, cuts: [Int] = [], ends: [UInt32]? = nil) -> [PageRange] {
        var pages: [PageRange] = []
        var row = 0
        var value = 0
        var cut = 0
        while row < rowCount {
            while cut < cuts.count, cuts[cut] <= row { cut += 1 }
            var rowEnd = min(row + pageRows, rowCount, cut < cuts.count ? cuts[cut] : rowCount)
            var valueEnd: Int
            if let positions {
                valueEnd = value
                while valueEnd < positions.count, Int(positions[valueEnd]) < rowEnd { valueEnd += 1 }
            } else {
                valueEnd = rowEnd
            }
            if let ends, valueEnd > value {
                let start = value == 0 ? 0 : ends[value - 1]
                if Int(ends[valueEnd - 1] - start) > pageBytes {
                    var last = value + 1
                    while last < valueEnd, Int(ends[last] - start) <= pageBytes { last += 1 }
                    if last < valueEnd {
                        valueEnd = last
                        rowEnd = positions.map { Int($0[last]) } ?? last
                    }
                }
            }
            pages.append(PageRange(rows: row..<rowEnd, values: value..<valueEnd))
            row = rowEnd
            value = valueEnd
        }
        return pages
    }

    // MARK: Dictionaries

    /// The distinct values in order and each value's index among them, or `nil` when there are too many to gain by it.
    static func dictionary(of values: ByteColumn) -> (ByteColumn, [Int64])? {
        let count = values.count
        guard count >= 8 else { return nil }
        let limit = min(dictionaryValues, max(count / 4, 2))
        var table = KeyTable()
        var codes: [Int64] = []
        codes.reserveCapacity(count)
        var last = -1
        let bytes = values.bytes.span
        for index in 0..<count {
            last = table.intern(bytes.extracting(values.range(of: index)), hint: last)
            // A column of mostly distinct values shows itself early.
            if table.count > limit || (index == 511 && table.count > 384) || table.keys.bytes.count > dictionaryBytes { return nil }
            codes.append(Int64(last))
        }
        let keys = table.keys
        let order = (0..<keys.count).sorted { left, right in
            keys.bytes.span.extracting(keys.range(of: left)).precedes(keys.bytes.span.extracting(keys.range(of: right)))
        }
        var ranks = [Int64](repeating: 0, count: order.count)
        var sorted = ByteColumn()
        sorted.reserveCapacity(order.count, bytes: keys.bytes.count)
        for (rank, key) in order.enumerated() {
            ranks[key] = Int64(rank)
            sorted.append(key, of: keys)
        }
        for index in codes.indices { codes[index] = ranks[Int(codes[index])] }
        return (sorted, codes)
    }
}
