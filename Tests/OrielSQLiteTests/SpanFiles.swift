@testable import OrielSQLite
import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

/// Spans in known files, and bits to flip in them.
enum SpanFiles {
    static let day: Int64 = 86_400_000_000_000
    static let rowsPerDay = 500

    /// Options under which nothing happens by itself.
    static var options: StoreOptions {
        var options = StoreOptions()
        options.appliesRetention = false
        options.maintainsItself = false
        return options
    }

    /// Spans of some days, each its own trace with the number of its row as id; names that no codec makes small.
    ///
    /// - Parameter start: the number of the first row of each day.
    static func spans(_ days: Range<Int>, rows: Int = rowsPerDay, from start: Int = 0) -> WriteSet {
        var random = SplitMix64(seed: UInt64(days.lowerBound + start) + 1)
        var batch = SpanBatch()
        let stream = batch.streams.intern(.scope(Resource(attributes: [Attribute("service.name", .string("shop"))]), InstrumentationScope()))
        for day in days {
            for row in start..<(start + rows) {
                batch.streamIndexes.append(UInt32(stream))
                batch.startTimes.append(1_600_000_000_000_000_000 / SpanFiles.day * SpanFiles.day + Int64(day) * SpanFiles.day + Int64(row))
                batch.traceIDs.append(traceID(day, row))
                batch.spanIDs.append(random.next())
                batch.parentSpanIDs.append(0)
                batch.traceStates.append("")
                batch.names.append((0..<4).map { _ in String(random.next(), radix: 16) }.joined())
                batch.kinds.append(1)
                batch.durations.append(Int64(row))
                batch.statusCodes.append(0)
                batch.statusMessages.append("")
                batch.flags.append(0)
                batch.droppedAttributesCounts.append(0)
                batch.events.append([])
                batch.droppedEventsCounts.append(0)
                batch.links.append([])
                batch.droppedLinksCounts.append(0)
                batch.attributes.appendRow([])
            }
        }
        return WriteSet(batches: [batch.columnBatch])
    }

    static func traceID(_ day: Int, _ row: Int) -> TraceID { TraceID(high: UInt64(day) + 1, low: UInt64(row) + 1) }

    /// The times of all rows of a plan.
    static func rows(_ store: SQLiteStore, _ plan: ScanPlan) async throws -> [Int64] {
        let cursor = try store.snapshot().scan(plan)
        var times: [Int64] = []
        while let batch = try await cursor.next() { times += batch.times }
        return times
    }

    /// Flips a bit in the middle of a blob of the only file of spans below `part` of the folder: the blob that `choose` names.
    static func damage(_ folder: SQLiteFolder, below part: String = "data/spans/", _ choose: (Segment) throws -> SegmentConnection.Blob) throws {
        let files = POSIXFileLayer()
        let paths = try FolderScan(folder.path, files: files).segments.keys.filter { $0.hasPrefix(part) }
        #expect(paths.count == 1)
        let path = folder.path + "/" + (try #require(paths.first))
        let segment = try Segment.open(
            path, fileSystem: SQLiteFileSystem(files), registry: StreamRegistry(secret: StreamSecret(high: 1, low: 2)))
        let name = try choose(segment)
        func read() throws -> [UInt8] {
            var blob: [UInt8] = []
            segment.file.closeConnections()
            try segment.readBlob(name, into: &blob)
            segment.file.closeConnections()
            return blob
        }
        let blob = try read()
        // SQLite spreads a long blob over pages, so only a part of it is looked for.
        let piece = Array(blob[(blob.count / 2)..<min(blob.count / 2 + 24, blob.count)])
        let contents = try files.contents(path, limit: 1 << 30)
        let places = (0...(contents.count - piece.count)).filter {
            contents[$0] == piece[0] && contents[$0..<($0 + piece.count)].elementsEqual(piece)
        }
        // A page may keep what moved to another one, and other blobs may have the same bytes.
        for place in places {
            let file = try files.open(path, .readWrite)
            try files.write(file, at: Int64(place), [contents[place] ^ 0x10].span)
            if try read() != blob { return try files.close(file) }
            try files.write(file, at: Int64(place), [contents[place]].span)
            try files.close(file)
        }
        Issue.record("\(name) is not found in \(path)")
    }

    static func column(_ id: ColumnID, block: Int) -> (Segment) throws -> SegmentConnection.Blob {
        { segment in
            let position = try #require(try segment.block(block).directory.position(of: .fixed(id)))
            return .column(block: block, column: position)
        }
    }
}
