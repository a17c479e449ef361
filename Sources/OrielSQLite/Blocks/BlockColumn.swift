import OrielTelemetry

/// Which column of a block this is.
enum BlockColumnName: Hashable, Sendable {
    case time
    case ord
    case fixed(ColumnID)
    /// The values of one type that an attribute of the rows has.
    case attribute(key: [UInt8], type: AttributeType)
    /// All attributes that have no column of their own; see `RestCoding`.
    case rest
}

extension BlockColumnName: CustomStringConvertible {
    /// For people: an attribute's key as `attribute:KEY`.
    var description: String {
        switch self {
        case .time: "time"
        case .ord: "ord"
        case .fixed(let id): "\(id)"
        case .attribute(let key, _): "attribute:" + String(decoding: key, as: UTF8.self)
        case .rest: "other attributes"
        }
    }
}

/// The form of a column's values.
enum BlockColumnForm: UInt8, Sendable {
    case integers = 0
    case doubles = 1
    case identifiers = 2
    case bytes = 3
    /// A page with the distinct values, then pages of integers that are indexes into it.
    case dictionary = 4
}

/// What the directory of a block knows of one column.
struct BlockColumn: Hashable, Sendable {
    struct PageEntry: Hashable, Sendable {
        var firstRow: Int
        var rowCount: Int
        /// Rows of the page that have a value.
        var valueCount: Int
        /// Place in the column's data.
        var offset: Int
        var byteCount: Int
        /// The least and the greatest value: integers as they are, of doubles the bit patterns of the least and greatest that is no NaN. 0 for other forms.
        var minimum: Int64
        var maximum: Int64
    }

    var name: BlockColumnName
    var form: BlockColumnForm
    /// Bytes of the dictionary's page at the start of the data, 0 without one.
    var dictionaryByteCount = 0
    var pages: [PageEntry] = []
    /// The data itself when it is so small that it lies in the directory.
    var inline: [UInt8]?
    /// The filters over the values, one after another in data of their own.
    var filters: [FilterEntry] = []
    /// That data when it is so small that it lies in the directory.
    var inlineFilters: [UInt8]?

    struct FilterEntry: Hashable, Sendable {
        var kind: BlockFilter.Kind
        var byteCount: Int
    }

    /// Bytes of all filters.
    var filterByteCount: Int { filters.reduce(0) { $0 + $1.byteCount } }

    /// Where a filter lies in the filters' data.
    func filterRange(_ kind: BlockFilter.Kind) -> Range<Int>? {
        var start = 0
        for filter in filters {
            if filter.kind == kind { return start..<(start + filter.byteCount) }
            start += filter.byteCount
        }
        return nil
    }

    /// Checks the filters' data.
    func check(filters data: Span<UInt8>) throws(ColumnError) {
        guard data.count == filterByteCount else {
            throw ColumnError(.malformed("the filters have \(data.count) bytes, the directory says \(filterByteCount)"), at: 0)
        }
        var start = 0
        for filter in filters {
            _ = try BlockFilter(encoded: data.extracting(start..<(start + filter.byteCount)).array)
            start += filter.byteCount
        }
    }

    /// Bytes of all pages, the dictionary's included.
    var byteCount: Int { pages.last.map { $0.offset + $0.byteCount } ?? dictionaryByteCount }

    /// Checks the checksums of all pages of the column's data, without decoding them.
    func check(_ data: Span<UInt8>) throws(ColumnError) {
        guard data.count == byteCount else {
            throw ColumnError(.malformed("the data has \(data.count) bytes, the directory says \(byteCount)"), at: 0)
        }
        if dictionaryByteCount > 0 { _ = try BlobChecksum.open(data.extracting(0..<dictionaryByteCount)) }
        for page in pages { _ = try BlobChecksum.open(data.extracting(page.offset..<(page.offset + page.byteCount))) }
    }

    /// The page that holds `row`.
    func page(ofRow row: Int) -> Int {
        var low = 0
        var high = pages.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if pages[middle].firstRow <= row { low = middle } else { high = middle }
        }
        return low
    }
}
