import OrielStore
import OrielTelemetry

/// A damaged segment file, of which each blob is read for itself. What does not read is thrown as damage; everything else that is thrown, such as too little memory,
/// says nothing about the file.
///
/// Used by one thread.
final class SalvageFile {
    /// As the manifest has it.
    let description: SegmentDescription
    let path: String
    private let connection: SegmentConnection

    /// - Throws: Damage when SQLite cannot open it.
    init(_ description: SegmentDescription, path: String, fileSystem: SQLiteFileSystem) throws(StoreError) {
        self.description = description
        self.path = path
        do throws(SQLiteError) {
            connection = try SegmentConnection(path, fileSystem: fileSystem)
        } catch {
            throw Self.failure(error, path)
        }
    }

    private static func failure(_ error: SQLiteError, _ path: String) -> StoreError {
        error.isDamage ? .damaged(path: path, reason: "\(error)") : .unusable(path: path, reason: "\(error)")
    }

    func damage(_ reason: String) -> StoreError { .damaged(path: path, reason: reason) }

    // MARK: Blobs

    /// A blob, or a part of one.
    ///
    /// - Returns: `nil` when there is none.
    func readIfThere(_ blob: SegmentConnection.Blob, _ range: Range<Int>? = nil) throws(StoreError) -> [UInt8]? {
        var bytes: [UInt8] = []
        do throws(SQLiteError) {
            return try connection.read(blob, range, into: &bytes) ? bytes : nil
        } catch {
            throw Self.failure(error, path)
        }
    }

    func read(_ blob: SegmentConnection.Blob, _ range: Range<Int>? = nil) throws(StoreError) -> [UInt8] {
        guard let bytes = try readIfThere(blob, range) else { throw damage("\(blob) is missing") }
        return bytes
    }

    /// Bytes that do not decode are damage.
    func decoding<Value>(_ body: () throws(ColumnError) -> Value) throws(StoreError) -> Value {
        do throws(ColumnError) {
            return try body()
        } catch {
            throw damage("\(error)")
        }
    }

    /// A page of 128-bit ids.
    func identifiers(_ page: ArraySlice<UInt8>) throws(StoreError) -> [TraceID] {
        try decoding { () throws(ColumnError) in
            var decoder = PageDecoder()
            var ids: [TraceID] = []
            try decoder.open(page.span)
            try decoder.appendWideIdentifiers(to: &ids)
            return ids
        }
    }

    /// A page of texts.
    func texts(_ page: ArraySlice<UInt8>) throws(StoreError) -> ByteColumn {
        try decoding { () throws(ColumnError) in
            var decoder = PageDecoder()
            var bytes: [UInt8] = []
            var ends: [UInt32] = []
            try decoder.open(page.span)
            try decoder.appendBytes(to: &bytes, ends: &ends)
            guard let column = ByteColumn(bytes: bytes, ends: ends) else { throw ColumnError(.malformed("texts that overlap"), at: 0) }
            return column
        }
    }

    /// A page of ascending numbers.
    func ordinals(_ blob: SegmentConnection.Blob, count: Int) throws(StoreError) -> [UInt32] {
        let bytes = try read(blob)
        return try decoding { () throws(ColumnError) in
            var decoder = PageDecoder()
            var values: [Int64] = []
            try decoder.open(bytes.span)
            try decoder.appendIntegers(to: &values)
            guard values.count == count, values.allSatisfy({ $0 >= 0 && $0 < Int64(Int32.max) }), zip(values, values.dropFirst()).allSatisfy({ $0 < $1 })
            else { throw ColumnError(.malformed("\(values.count) ordinals, \(count) are expected in order"), at: 0) }
            return values.map { UInt32($0) }
        }
    }

    // MARK: Counting

    /// One more than the last block of which SQLite finds a row; 0 when it finds none.
    func blockCount() throws(StoreError) -> Int {
        do throws(SQLiteError) {
            // Numbers beyond that are no block's.
            return min(max(0, (try connection.lastBlock() ?? -1) + 1), description.byteCount / 32)
        } catch {
            guard error.isDamage else { throw Self.failure(error, path) }
            return 0
        }
    }

    /// How many pages a table of the file has, when the header does not say it.
    func pageCount(_ kind: SegmentFormat.Kind) throws(StoreError) -> Int {
        var count = 0
        while count < description.byteCount / 16 {
            do throws(StoreError) {
                guard try readIfThere(.head(kind, count)) != nil else { break }
            } catch {
                // A page that is there and does not read. Where all are behind a damaged page of SQLite's, there is no end to be found.
                guard error.isDamage else { throw error }
                guard count < 4096 else { break }
            }
            count += 1
        }
        return count
    }

    // MARK: Checking

    func check(page: ArraySlice<UInt8>) throws(StoreError) {
        var decoder = PageDecoder()
        do throws(ColumnError) {
            try decoder.open(page.span)
        } catch {
            throw damage("\(error)")
        }
    }

    func check(_ filters: [UInt8], filtersOf column: BlockColumn) throws(StoreError) {
        do throws(ColumnError) {
            try column.check(filters: filters.span)
        } catch {
            throw damage("\(error)")
        }
    }

    /// Checks a page of a table that is made anew from rows.
    func check(_ kind: SegmentFormat.Kind, _ page: Int) throws(StoreError) {
        let bytes = try read(.head(kind, page))
        let parts: [Range<Int>]
        switch kind {
        case .traceTimes: parts = try decoding { () throws(ColumnError) in try PageGroup.decode(bytes.span, count: 2) }
        case .summaries: parts = try decoding { () throws(ColumnError) in try PageGroup.decode(bytes.span, count: 3) }
        default: parts = [bytes.indices]
        }
        try decoding { () throws(ColumnError) in
            for part in parts { _ = try BlobChecksum.open(bytes.span.extracting(part)) }
        }
    }

    /// Lets the registry learn the streams of all other files of the signal.
    func learnStreams(_ state: PublishedState) throws(StoreError) {
        for case let segment as Segment in state[description.signal].files {
            do throws(StoreError) {
                _ = try segment.streamReferences()
            } catch {
                // A damaged file says what it can; this one is among them.
                guard error.isDamage else { throw error }
            }
        }
    }
}
