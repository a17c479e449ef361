import OrielStore
import OrielTelemetry
import OrielThreads
import Synchronization
import Testing

@testable import OrielSQLite

@Suite struct SegmentTests {
    @Test(arguments: Signal.allCases) func aFlushedFileHoldsTheRowsOfItsRuns(signal: Signal) throws {
        var rows = RandomRows(signal, seed: 100)
        rows.span *= 30
        let fixture = try SegmentFixture(rows)
        let groups = (0..<3).map { _ in (0..<2).map { _ in rows.chunk(rows: 300) } }
        let segment = try fixture.flush(groups, fileID: 1)
        var expected: [String] = []
        for group in groups { expected += RowText.expected(group, rows.registry) }
        #expect(try fixture.texts(segment) == expected)
        #expect(segment.rowCount == expected.count)
        #expect(segment.description.pieces.count >= 1)
        #expect(try segment.families().count == (signal.isMetric ? 1 : 0))
        try segment.verify()
        #expect(try Segment.readHeader(path: segment.path, fileSystem: fixture.fileSystem) == segment.header)
        let status = try POSIXFileLayer().status(segment.path)
        #expect(status?.size == Int64(segment.description.byteCount))
    }

    @Test(arguments: [Signal.logs, .spans, .exemplars]) func tracesAreFoundThroughTheIndex(signal: Signal) throws {
        var rows = RandomRows(signal, seed: 110)
        let fixture = try SegmentFixture(rows)
        let groups = (0..<4).map { _ in [rows.chunk(rows: 200)] }
        let segment = try fixture.flush(groups, fileID: 1)
        let all = try segment.allTraceIDs()
        #expect(all == all.sorted())
        var textsOfTraces: [TraceID: [String]] = [:]
        for block in segment.blocks {
            let batch = try segment.read(block: block.index, rows: nil, projection: .everything)
            guard case .traceIDs(let ids) = batch[.traceID] else { continue }
            for (id, text) in zip(ids, RowText.texts(batch, rows.registry)) { textsOfTraces[id, default: []].append(text) }
        }
        for id in all {
            let expected = textsOfTraces[id] ?? []
            var found: [String] = []
            for (block, rows) in try segment.rows(ofTraces: [id]) {
                found += RowText.texts(try segment.read(block: block, rows: rows, projection: .everything), fixture.registry)
            }
            #expect(found == expected)
            #expect(!found.isEmpty)
        }
        #expect(try segment.rows(ofTraces: [TraceID(high: 0, low: 1), TraceID(high: .max, low: .max)]).isEmpty)
        let several = try segment.rows(ofTraces: all)
        #expect(several.map(\.block) == Array(segment.blocks.indices))
    }

    @Test func aStreamKeepsItsReferenceInAnotherProcess() throws {
        var rows = RandomRows(.logs, seed: 120)
        let fixture = try SegmentFixture(rows)
        let segment = try fixture.flush([[rows.chunk(rows: 100)]], fileID: 1)
        let registry = StreamRegistry(secret: rows.registry.secret)
        let again = try Segment.open(segment.description, fileSystem: fixture.fileSystem, folder: fixture.folder.path, registry: registry)
        let references = try again.streamReferences()
        #expect(registry.ids(of: references) == registry.ids(of: references).sorted())
        #expect(registry.ids(of: references) == rows.registry.ids(of: try segment.streamReferences()))
        let texts = RowText.texts(try again.read(block: 0, rows: nil, projection: .everything), registry)
        #expect(texts == RowText.texts(try segment.read(block: 0, rows: nil, projection: .everything), rows.registry))
    }

    @Test func whatIsNotTheDescribedFileIsRefused() throws {
        var rows = RandomRows(.logs, seed: 130)
        let fixture = try SegmentFixture(rows)
        let segment = try fixture.flush([[rows.chunk(rows: 100)]], fileID: 1)
        var other = segment.description
        other.rowCount += 1
        #expect(throws: StoreError.self) { try fixture.open(other) }
        other = segment.description
        other.fileID = 99
        #expect(throws: StoreError.self) { try fixture.open(other) }
        let layer = POSIXFileLayer()
        let bytes = try layer.contents(segment.path, limit: 1 << 24)
        for count in [0, 100, 16_384, bytes.count - 16_384, bytes.count - 1] {
            try layer.replace(segment.path, with: Array(bytes[..<count]))
            #expect(throws: StoreError.self, "cut to \(count) bytes") { try fixture.open(segment.description) }
        }
    }

    /// A flipped byte is found, or it lies where nothing is kept and all rows are as they were.
    @Test(arguments: [Signal.spans, .samples]) func everyFlippedByteIsFoundOrHarmless(signal: Signal) throws {
        var rows = RandomRows(signal, seed: 140)
        rows.keyCount = 20
        let fixture = try SegmentFixture(rows)
        let segment = try fixture.flush([[rows.chunk(rows: 40)]], fileID: 1)
        let expected = try fixture.texts(segment)
        segment.file.closeConnections()
        let layer = POSIXFileLayer()
        let bytes = try layer.contents(segment.path, limit: 1 << 24)
        var random = Seeded(141)
        var found = 0
        // All bytes of the first page and a part of the others: a whole file takes a minute in a debug build.
        for index in bytes.indices where index < 200 || random.chance(signal == .spans ? 2 : 3) {
            var broken = bytes
            broken[index] ^= 1 << UInt8(random.below(8))
            let file = try layer.open(segment.path, .readWrite)
            try layer.write(file, at: Int64(index), broken.span.extracting(index..<(index + 1)))
            do {
                let again = try fixture.open(segment.description)
                try again.verify()
                #expect(try fixture.texts(again) == expected, "byte \(index)")
            } catch {
                found += 1
                #expect(error is StoreError)
            }
            try layer.write(file, at: Int64(index), bytes.span.extracting(index..<(index + 1)))
            try layer.close(file)
        }
        #expect(found > 0)
    }

    @Test func openConnectionsAreBounded() throws {
        var rows = RandomRows(.samples, seed: 150)
        let fixture = try SegmentFixture(rows)
        let open = OpenSegments(limit: 2)
        var segments: [Segment] = []
        for id in 1...5 {
            let segment = try fixture.flush([[rows.chunk(rows: 20)]], fileID: UInt64(id))
            segments.append(
                try Segment.open(
                    segment.description, fileSystem: fixture.fileSystem, folder: fixture.folder.path, registry: rows.registry, openSegments: open))
        }
        for segment in segments + segments { #expect(try fixture.texts(segment).count == segment.rowCount) }
        #expect(segments.reduce(0) { $0 + $1.connectionCount } <= 2)
    }

    /// More threads than there are connections, each with blocks and parts of blocks in an order of its own.
    @Test func manyThreadsReadOneFile() throws {
        var rows = RandomRows(.samples, seed: 151)
        let fixture = try SegmentFixture(rows)
        let segment = try fixture.flush((0..<6).map { _ in [rows.chunk(rows: 300)] }, fileID: 1)
        let expected = try segment.blocks.map { try segment.read(block: $0.index, rows: nil, projection: .everything) }
        let failures = Mutex<[String]>([])
        let threads = try (0..<7).map { number in
            try OwnThread(name: "reader-\(number)") {
                var random = Seeded(UInt64(number))
                for _ in 0..<60 {
                    let block = random.below(expected.count)
                    let chosen = (0..<expected[block].count).filter { _ in random.chance(50) }
                    do {
                        let read = try segment.read(block: block, rows: chosen, projection: .everything)
                        guard read.times == chosen.map({ expected[block].times[$0] }), read.streamIndexes == chosen.map({ expected[block].streamIndexes[$0] })
                        else { throw ColumnError(.malformed("block \(block) is read as something else"), at: 0) }
                    } catch {
                        failures.withLock { $0.append("\(number): \(error)") }
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(failures.withLock { $0 } == [])
        #expect((1...4).contains(segment.connectionCount))
    }

    @Test func theCacheKeepsToItsBytes() {
        let cache = SegmentCache(byteLimit: 100_000)
        for index in 0..<500 {
            cache.insert(.traceIDs(Array(repeating: .zero, count: 100)), .traceIDs(index), of: 1)
            #expect(cache.byteCount <= 100_000)
            // The one in use stays.
            if index > 0 { #expect(cache.content(.traceIDs(0), of: 1) != nil) }
        }
        cache.remove(segment: 1)
        #expect(cache.byteCount == 0)
        #expect(cache.content(.traceIDs(0), of: 1) == nil)
    }
}
