import OrielTelemetry

/// What a reader of one block in many small parts keeps from part to part: of each column the page that it read last, its dictionary, and the ids of the block's traces.
///
/// Pages are kept inflated but not decoded, which takes a fraction of the memory of their rows. What does not fit in the budget is not kept, and read anew for the next part.
struct OpenedPages {
    /// A column's last page.
    private struct Entry {
        /// The page's first row; `nil` when none is kept.
        var firstRow: Int?
        var page = OpenedPage()
    }

    private let budget: Int
    private(set) var byteCount = 0
    private var entries: [Entry]
    private var dictionaries: [ByteColumn?]
    private var traceIDs: [TraceID]?

    /// - Parameter budget: bytes of memory that what is kept may take.
    init(budget: Int = 0) {
        self.budget = budget
        entries = []
        dictionaries = []
    }

    /// Gives a decoder the kept page of a column, or, when it is another one, the room that this took. To be ended by `close`.
    ///
    /// - Parameter page: the first row of the wanted page.
    /// - Returns: whether the decoder has the wanted page open.
    mutating func open(_ column: Int, page: Int, _ decoder: inout PageDecoder) -> Bool {
        while entries.count <= column { entries.append(Entry()) }
        byteCount -= entries[column].page.byteCount
        decoder.exchange(&entries[column].page)
        return entries[column].firstRow == page
    }

    /// Takes the page from the decoder again, and keeps it if there is room.
    ///
    /// - Parameter page: the first row of the page; `nil` when it could not be opened.
    mutating func close(_ column: Int, page: Int?, _ decoder: inout PageDecoder) {
        decoder.exchange(&entries[column].page)
        entries[column].firstRow = page
        let bytes = entries[column].page.byteCount
        if byteCount + bytes <= budget {
            byteCount += bytes
        } else {
            entries[column] = Entry()
        }
    }

    func dictionary(_ column: Int) -> ByteColumn? { column < dictionaries.count ? dictionaries[column] : nil }

    mutating func keep(_ dictionary: ByteColumn, _ column: Int) {
        let bytes = dictionary.bytes.capacity + dictionary.ends.capacity * 4
        guard byteCount + bytes <= budget else { return }
        byteCount += bytes
        while dictionaries.count <= column { dictionaries.append(nil) }
        dictionaries[column] = dictionary
    }

    /// The ids of all traces of the block, by local number, made ready by `load` if they fit; `nil` when they do not.
    mutating func traceIDs<Failure: Error>(count: Int, load: () throws(Failure) -> [TraceID]) throws(Failure) -> [TraceID]? {
        if let traceIDs { return traceIDs }
        let bytes = count * MemoryLayout<TraceID>.stride
        guard byteCount + bytes <= budget else { return nil }
        let ids = try load()
        byteCount += bytes
        traceIDs = ids
        return ids
    }
}
