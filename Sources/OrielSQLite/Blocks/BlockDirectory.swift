import OrielCompression
import OrielTelemetry

/// What is written of a block besides its pages: its runs of rows by slot and stream, and where the pages of its columns are.
///
/// Streams and trace ids appear as numbers local to the block, in the order of the ids. What they stand for is kept beside the directory (`BlockBinding`), so that a
/// merge copies directory and pages as they are.
struct BlockDirectory: Equatable, Sendable {
    static let version: UInt8 = 2
    /// Rows that a block may have.
    static let maximumRows = 1 << 18
    /// Columns that a block may have: their numbers take twelve bits of a row id.
    static let maximumColumns = 1 << 12

    /// Bytes that the data of a column may have: what SQLite takes as one value.
    static let maximumColumnBytes = 1_000_000_000

    var signal: Signal
    var rowCount: Int
    var streamCount: Int
    var traceCount: Int
    var runs: BlockRuns
    var columns: [BlockColumn]
    /// The keys that the column `rest` refers to by index.
    var restKeys: ByteColumn

    /// The position of a column, or `nil`: then every row has the default.
    func position(of name: BlockColumnName) -> Int? {
        columns.firstIndex { $0.name == name }
    }
}

extension BlockDirectory {
    /// The bytes, ending in their CRC32C.
    func encoded(using encoder: inout IntegerEncoder) -> [UInt8] {
        var bytes: [UInt8] = [BlockDirectory.version, signal.rawValue]
        bytes.append(count: rowCount)
        bytes.append(count: streamCount)
        bytes.append(count: traceCount)
        bytes.append(count: runs.count)
        encoder.append(runs.runs.map(\.slot), to: &bytes)
        encoder.append(runs.runs.map { Int64($0.stream) }, to: &bytes)
        encoder.append(runs.runs.map { Int64($0.rowCount) }, to: &bytes)
        encoder.append(runs.runs.map { Int64($0.vector) }, to: &bytes)
        bytes.append(count: restKeys.count)
        for index in 0..<restKeys.count { bytes.append(counted: restKeys.bytes.span.extracting(restKeys.range(of: index))) }
        bytes.append(count: columns.count)
        for column in columns { column.append(to: &bytes, using: &encoder) }
        bytes.append(littleEndian: CRC32C.checksum(bytes.span))
        return bytes
    }

    /// Reads what `encoded` wrote; anything else throws.
    init(encoded bytes: Span<UInt8>) throws(ColumnError) {
        let end = bytes.count - 4
        guard end >= 2 else { throw ColumnError(.truncated(needed: 6 - bytes.count), at: bytes.count) }
        var offset = end
        let stored = try bytes.readLittleEndian(&offset, as: UInt32.self)
        let content = bytes.extracting(0..<end)
        let computed = CRC32C.checksum(content)
        guard stored == computed else { throw ColumnError(.checksum(stored: stored, computed: computed), at: end) }
        guard content[0] == BlockDirectory.version else { throw ColumnError(.version(content[0]), at: 0) }
        guard let signal = Signal(rawValue: content[1]) else { throw ColumnError(.malformed("signal \(content[1]) is not known"), at: 1) }
        self.signal = signal
        offset = 2
        rowCount = try content.readCount(&offset, limit: BlockDirectory.maximumRows)
        streamCount = try content.readCount(&offset, limit: rowCount)
        traceCount = try content.readCount(&offset, limit: rowCount)
        let runCount = try content.readCount(&offset, limit: rowCount)
        var decoder = IntegerDecoder()
        let slots = try decoder.values(content, at: &offset, count: runCount)
        let streams = try decoder.values(content, at: &offset, count: runCount)
        let rows = try decoder.values(content, at: &offset, count: runCount)
        let vectors = try decoder.values(content, at: &offset, count: runCount)
        var runs: [BlockRuns.Run] = []
        runs.reserveCapacity(runCount)
        var total: Int64 = 0
        for index in 0..<runCount {
            guard rows[index] > 0, rows[index] <= Int64(rowCount) - total, streams[index] >= 0, streams[index] < streamCount, vectors[index] >= 0,
                vectors[index] < runCount
            else { throw ColumnError(.malformed("run \(index) does not fit the block"), at: offset) }
            total += rows[index]
            runs.append(
                BlockRuns.Run(slot: slots[index], stream: Int(streams[index]), rowCount: Int(rows[index]), vector: Int(vectors[index])))
        }
        guard total == Int64(rowCount) else { throw ColumnError(.malformed("the runs have \(total) of \(rowCount) rows"), at: offset) }
        try BlockRuns.check(runs, hasVectors: signal.isMetric)
        self.runs = BlockRuns(runs, hasVectors: signal.isMetric)
        restKeys = ByteColumn()
        for _ in 0..<(try content.readCount(&offset, limit: content.count)) {
            restKeys.append(content.extracting(try content.readCounted(&offset)))
        }
        let columnCount = try content.readCount(&offset, limit: BlockDirectory.maximumColumns)
        columns = []
        for _ in 0..<columnCount { columns.append(try BlockColumn(content, at: &offset, decoder: &decoder)) }
        guard offset == end else { throw ColumnError(.malformed("\(end - offset) bytes behind the directory"), at: offset) }
        try checkRows()
    }

    /// Every column covers all rows.
    private func checkRows() throws(ColumnError) {
        let vectorRows = Int(runs.vectorStarts.last ?? 0)
        for column in columns {
            let expected = column.name == .time && signal.isMetric ? vectorRows : rowCount
            let found = column.pages.last.map { $0.firstRow + $0.rowCount } ?? 0
            guard found == expected else { throw ColumnError(.malformed("a column has \(found) rows, the block \(expected)"), at: 0) }
        }
    }
}

extension BlockColumn {
    private enum Tag: UInt8 {
        case time = 0
        case ord = 1
        case fixed = 2
        case attribute = 3
        case rest = 4
    }

    fileprivate func append(to bytes: inout [UInt8], using encoder: inout IntegerEncoder) {
        switch name {
        case .time: bytes.append(Tag.time.rawValue)
        case .ord: bytes.append(Tag.ord.rawValue)
        case .fixed(let id):
            bytes.append(Tag.fixed.rawValue)
            bytes.append(id.rawValue)
        case .attribute(let key, let type):
            bytes.append(Tag.attribute.rawValue)
            bytes.append(type.rawValue)
            bytes.append(counted: key.span)
        case .rest: bytes.append(Tag.rest.rawValue)
        }
        bytes.append(form.rawValue)
        if form == .dictionary { bytes.append(count: dictionaryByteCount) }
        bytes.append(count: pages.count)
        encoder.append(pages.map { Int64($0.rowCount) }, to: &bytes)
        encoder.append(pages.map { Int64($0.valueCount) }, to: &bytes)
        encoder.append(pages.map { Int64($0.byteCount) }, to: &bytes)
        if form == .integers || form == .doubles {
            encoder.append(pages.map(\.minimum), to: &bytes)
            encoder.append(pages.map(\.maximum), to: &bytes)
        }
        bytes.append(inline == nil ? 0 : 1)
        if let inline { bytes.append(inline.span) }
        bytes.append(count: filters.count)
        if filters.isEmpty { return }
        for filter in filters {
            bytes.append(filter.kind.rawValue)
            bytes.append(count: filter.byteCount)
        }
        bytes.append(inlineFilters == nil ? 0 : 1)
        if let inlineFilters { bytes.append(inlineFilters.span) }
    }

    fileprivate init(_ bytes: Span<UInt8>, at offset: inout Int, decoder: inout IntegerDecoder) throws(ColumnError) {
        let start = offset
        switch Tag(rawValue: try bytes.readByte(&offset)) {
        case .time: name = .time
        case .ord: name = .ord
        case .rest: name = .rest
        case .fixed:
            let raw = try bytes.readByte(&offset)
            guard let id = ColumnID(rawValue: raw) else { throw ColumnError(.malformed("column \(raw) is not known"), at: start) }
            name = .fixed(id)
        case .attribute:
            let raw = try bytes.readByte(&offset)
            guard let type = AttributeType(rawValue: raw) else { throw ColumnError(.malformed("attribute type \(raw) is not known"), at: start) }
            name = .attribute(key: bytes.extracting(try bytes.readCounted(&offset)).array, type: type)
        case nil: throw ColumnError(.malformed("column tag \(bytes[start]) is not known"), at: start)
        }
        let rawForm = try bytes.readByte(&offset)
        guard let form = BlockColumnForm(rawValue: rawForm) else { throw ColumnError(.malformed("column form \(rawForm) is not known"), at: start) }
        self.form = form
        if form == .dictionary { dictionaryByteCount = try bytes.readCount(&offset, limit: Page.maximumBytes) }
        let pageCount = try bytes.readCount(&offset, limit: BlockDirectory.maximumRows)
        let rows = try decoder.values(bytes, at: &offset, count: pageCount)
        let values = try decoder.values(bytes, at: &offset, count: pageCount)
        let sizes = try decoder.values(bytes, at: &offset, count: pageCount)
        let isNumeric = form == .integers || form == .doubles
        let minima = isNumeric ? try decoder.values(bytes, at: &offset, count: pageCount) : []
        let maxima = isNumeric ? try decoder.values(bytes, at: &offset, count: pageCount) : []
        var firstRow: Int64 = 0
        var position = Int64(dictionaryByteCount)
        pages.reserveCapacity(pageCount)
        for index in 0..<pageCount {
            guard rows[index] > 0, rows[index] <= Int64(BlockDirectory.maximumRows) - firstRow, values[index] >= 0, values[index] <= rows[index],
                sizes[index] > 0, sizes[index] <= Int64(Page.maximumBytes), sizes[index] <= Int64(BlockDirectory.maximumColumnBytes) - position
            else { throw ColumnError(.malformed("page \(index) of a column does not fit"), at: start) }
            pages.append(
                PageEntry(
                    firstRow: Int(firstRow), rowCount: Int(rows[index]), valueCount: Int(values[index]), offset: Int(position),
                    byteCount: Int(sizes[index]), minimum: isNumeric ? minima[index] : 0, maximum: isNumeric ? maxima[index] : 0))
            firstRow += rows[index]
            position += sizes[index]
        }
        let isInline = try bytes.readByte(&offset)
        if isInline == 1 {
            guard byteCount <= bytes.count - offset else { throw ColumnError(.truncated(needed: byteCount - (bytes.count - offset)), at: offset) }
            inline = bytes.extracting(offset..<(offset + byteCount)).array
            offset += byteCount
        } else if isInline != 0 {
            throw ColumnError(.malformed("inline mark \(isInline)"), at: offset - 1)
        }
        try readFilters(bytes, at: &offset)
    }

    private mutating func readFilters(_ bytes: Span<UInt8>, at offset: inout Int) throws(ColumnError) {
        let start = offset
        let count = try bytes.readCount(&offset, limit: 2)
        if count == 0 { return }
        for _ in 0..<count {
            let raw = try bytes.readByte(&offset)
            guard let kind = BlockFilter.Kind(rawValue: raw) else { throw ColumnError(.malformed("filter kind \(raw) is not known"), at: offset - 1) }
            guard !filters.contains(where: { $0.kind == kind }) else { throw ColumnError(.malformed("filter kind \(raw) occurs twice"), at: start) }
            filters.append(FilterEntry(kind: kind, byteCount: try bytes.readCount(&offset, limit: BlockFilter.maximumBytes)))
        }
        let isInline = try bytes.readByte(&offset)
        guard isInline <= 1 else { throw ColumnError(.malformed("inline mark \(isInline)"), at: offset - 1) }
        guard isInline == 1 else { return }
        guard filterByteCount <= bytes.count - offset else {
            throw ColumnError(.truncated(needed: filterByteCount - (bytes.count - offset)), at: offset)
        }
        inlineFilters = bytes.extracting(offset..<(offset + filterByteCount)).array
        offset += filterByteCount
    }
}

extension IntegerDecoder {
    /// Opens and decodes a section of `count` values at `offset`.
    ///
    /// A constant section states any count in two bytes, so the caller bounds `count`.
    mutating func values(_ bytes: Span<UInt8>, at offset: inout Int, count: Int) throws(ColumnError) -> [Int64] {
        try open(bytes, at: &offset, count: count)
        var values: [Int64] = []
        try decode(bytes, into: &values)
        return values
    }
}
