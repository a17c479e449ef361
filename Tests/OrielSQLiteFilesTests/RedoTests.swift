import OrielCompression
import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

struct RedoTests {
    private func encode(_ batches: [ColumnBatch]) throws -> [UInt8] {
        var compressor = ZstdCompressor(level: 1)
        let frame = try RedoFrame(batches, kind: .rows, compressor: &compressor)
        return RedoRecord.encode(firstOrds: [.logs: 7, .spans: 8, .exemplars: 9], frames: [frame, frame])
    }

    private func decode(_ blob: [UInt8]) throws -> [(kind: RedoFrame.Kind, batch: ColumnBatch)] {
        var decompressor = ZstdDecompressor()
        return try RedoRecord.decode(blob.span, decompressor: &decompressor)
    }

    /// Batches with references in place of streams.
    private func batches(_ random: inout SplitMix) -> [ColumnBatch] {
        Signal.allCases.map { signal in
            let count = random.below(20)
            func words() -> [UInt64] { (0..<count).map { _ in random.next() >> UInt64(random.below(64)) } }
            var columns: [Column] = []
            for id in signal.columns {
                switch id.kind {
                case .integer: columns.append(.integers(words().map { Int64(bitPattern: $0) }))
                case .double: columns.append(.doubles(words().map { Double(bitPattern: $0) }))
                case .identifier: columns.append(.identifiers(words()))
                case .traceID: columns.append(.traceIDs(words().map { TraceID(high: $0, low: random.next()) }))
                case .bytes:
                    var column = ByteColumn()
                    for _ in 0..<count {
                        column.append((0..<random.below(9)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
                    }
                    columns.append(.bytes(column))
                }
            }
            var attributes: AttributeTable?
            if signal.hasAttributes {
                var table = AttributeTable()
                for _ in 0..<count {
                    let values: [AttributeValue] = [
                        .empty, .bool(true), .int(Int64(bitPattern: random.next())), .double(1.5), .string("é"), .bytes([0, 255]),
                        .array([.int(1), .string("x")]), .map([Attribute("k", .bool(false))]),
                    ]
                    table.appendRow((0..<random.below(5)).map { Attribute("key \($0)", values[random.below(values.count)]) })
                }
                attributes = table
            }
            return ColumnBatch(
                signal: signal, streams: StreamTable(), streamIndexes: words().map { UInt32(truncatingIfNeeded: $0) },
                times: words().map { Int64(bitPattern: $0) }, columns: columns, attributes: attributes)
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func recordsRoundTrip(_ seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let original = batches(&random)
        let decoded = try decode(encode(original))
        #expect(decoded.count == original.count * 2)
        for (index, row) in decoded.enumerated() {
            let (batch, expected) = (row.batch, original[index % original.count])
            #expect(batch.signal == expected.signal && batch.times == expected.times && batch.streamIndexes == expected.streamIndexes)
            for (column, other) in zip(batch.columns, expected.columns) {
                // By bits: a NaN does not equal itself.
                #expect("\(column)" == "\(other)")
            }
            for row in 0..<batch.count {
                #expect(batch.attributes?.attributes(of: row) == expected.attributes?.attributes(of: row), "seed \(seed)")
            }
            let first: UInt64 = [.logs: 7, .spans: 8, .exemplars: 9][batch.signal] ?? 0
            let start = first + (index < original.count ? 0 : UInt64(expected.count))
            #expect(batch.ords == (batch.signal.hasOrds ? Array(start..<(start + UInt64(batch.count))) : []))
        }
    }

    @Test func everyFlippedBitIsFound() throws {
        var random = SplitMix(seed: 1)
        let blob = try encode(batches(&random))
        for bit in stride(from: 0, to: blob.count * 8, by: 5) {
            var damaged = blob
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: ColumnError.self) { try decode(damaged) }
        }
    }

    /// Bytes that have the right checksum and nonsense inside, as only a mistake or malice makes them.
    @Test func hostileRecordsAreErrors() throws {
        var random = SplitMix(seed: 2)
        var plain: [UInt8] = []
        let originals = batches(&random)
        plain.append(count: originals.count)
        for batch in originals {
            PlainColumns.append(batch, to: &plain)
        }
        for _ in 0..<(3000 * Fuzz.rounds) {
            var bytes = plain
            for _ in 0...random.below(3) {
                bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.below(4) == 0 {
                bytes.removeLast(random.below(bytes.count))
            }
            var offset = 1
            do throws(ColumnError) {
                for _ in originals {
                    _ = try PlainColumns.read(bytes.span, &offset)
                }
            } catch {
                #expect(error.offset <= bytes.count)
            }
        }
    }

    @Test func streamAndKeyRecordsRoundTrip() throws {
        let entries = (0..<100).map { number in
            StreamRecord.Entry(
                reference: StreamReference(number * 3), id: StreamID(high: UInt64(number), low: 5), descriptor: [1, UInt8(number), 2])
        }
        var compressor = ZstdCompressor(level: 1)
        var decompressor = ZstdDecompressor()
        let blob = try StreamRecord.encode(entries, compressor: &compressor)
        let read = try StreamRecord.decode(blob.span, decompressor: &decompressor)
        #expect(read == entries)

        let rejection = Receipt.Rejection(signal: .spans, reason: .tooFarInFuture, count: 300)
        let keys = SeenRecord.encode([(RequestKey(high: 1, low: .max), []), (RequestKey(high: 2, low: 3), [rejection])])
        let decoded = try SeenRecord.decode(keys.span)
        #expect(decoded.map(\.key) == [RequestKey(high: 1, low: .max), RequestKey(high: 2, low: 3)])
        #expect(decoded.map(\.rejected) == [[], [rejection]])

        let description = SegmentDescription(
            fileID: 9, signal: .spans, level: 2, pieces: [Piece(day: Day(number: -3), low: .zero, high: CommitSequence(start: 2, commit: 5))],
            inputs: [1, 2], rowCount: 5, minimumTime: -9, maximumTime: 9, byteCount: 77)
        #expect(try SegmentRecord.decode(SegmentRecord.encode(description).span) == description)
    }
}
