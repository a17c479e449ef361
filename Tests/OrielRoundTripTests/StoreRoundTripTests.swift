import Foundation
import OrielOTLP
import OrielOTLPMessages
import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

/// Every field of spans and log records, with random content: decoded from protobuf and JSON, stored, flushed, merged, opened again, read through the seam and
/// written as OTLP.
@Suite(.serialized) struct StoreRoundTripTests {
    /// `ORIEL_TEST_SEED` runs one seed, `ORIEL_TEST_ROUNDS` so many times as many.
    static let seeds: [UInt64] = {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["ORIEL_TEST_SEED"].flatMap({ UInt64($0) }) { return [seed] }
        return Array(1...(4 * max(1, environment["ORIEL_TEST_ROUNDS"].flatMap { UInt64($0) } ?? 1)))
    }()

    /// Under these nearly every request is worth a seal, and a few a flush; days of any size leave level 0.
    private static var options: StoreOptions {
        var options = StoreOptions()
        options.appliesRetention = false
        options.futureBound = nil
        options.requestKeyWindow = 0
        options.sealRows = 40
        options.sealBytes = 16_000
        options.flushBytes = 12_000
        options.checkpointBytes = 200_000
        options.ballastBytes = 0
        return options
    }

    @Test(arguments: seeds) func spansComeBackFromTheStore(_ seed: UInt64) async throws {
        try await run(
            seed, signal: .spans, row: { $0.span() }, encode: { OTLPEncoder.traces($0, format: $1) },
            decode: { decoder, bytes, format in
                let decoded = format == .json ? try decoder.traces(json: bytes.span) : try decoder.traces(bytes.span)
                #expect(decoded.rejections.isEmpty, "seed \(seed)")
                return decoded.batch.columnBatch
            }, groups: { try #require(SpanBatch($0)).groups() },
            write: { OTLPEncoder.traces(try #require(SpanBatch($0)), format: $1) }, add: { $0.add($1) })
    }

    @Test(arguments: seeds) func logRecordsComeBackFromTheStore(_ seed: UInt64) async throws {
        try await run(
            seed, signal: .logs, row: { $0.logRecord() }, encode: { OTLPEncoder.logs($0, format: $1) },
            decode: { decoder, bytes, format in
                let now = Timestamp.now
                let decoded = format == .json ? try decoder.logs(json: bytes.span, receiveTime: now) : try decoder.logs(bytes.span, receiveTime: now)
                #expect(decoded.rejections.isEmpty, "seed \(seed)")
                return decoded.batch.columnBatch
            }, groups: { try #require(LogBatch($0)).groups() },
            write: { OTLPEncoder.logs(try #require(LogBatch($0)), format: $1) }, add: { $0.add($1) })
    }

    private func run<Row: Sendable>(
        _ seed: UInt64, signal: Signal, row: @escaping (inout RandomMessages) -> Row, encode: @escaping ([OTLPScopeGroup<Row>], OTLPFormat) -> [UInt8],
        decode: @escaping (inout OTLPDecoder, [UInt8], OTLPFormat) throws -> ColumnBatch, groups: @escaping (ColumnBatch) throws -> [OTLPScopeGroup<Row>],
        write: @escaping (ColumnBatch, OTLPFormat) throws -> [UInt8], add: @escaping (inout StoredRows, OTLPScopeGroup<Row>) -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("oriel-round-trip-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer {
            do {
                try FileManager.default.removeItem(at: folder)
            } catch {
                print("left behind: \(folder.path): \(error)")
            }
        }
        var random = RandomMessages(seed: seed)
        random.hasNaN = true
        let day: Int64 = 86_400_000_000_000
        random.times = (1_720_000_000_000_000_000 - 2 * day)...1_720_000_000_000_000_000
        // Few streams, so that their rows meet in merges.
        let streams = random.list(3...6) { ($0.resource(), $0.scope()) }
        var decoder = OTLPDecoder()
        var expected = StoredRows()
        var (flushes, merges) = (0, 0)
        var store = try await SQLiteStore.open(folder: folder.path, options: Self.options)

        func check(_ when: String) async throws {
            let cursor = try store.snapshot().scan(ScanPlan(signal: signal))
            var found = StoredRows()
            var throughJSON = StoredRows()
            var throughProtobuf = StoredRows()
            while let batch = try await cursor.next() {
                for group in try groups(batch) { add(&found, group) }
                let json = try decode(&decoder, try write(batch, .json), .json)
                for group in try groups(json) { add(&throughJSON, group) }
                let protobuf = try decode(&decoder, try write(batch, .protobuf), .protobuf)
                for group in try groups(protobuf) { add(&throughProtobuf, group) }
            }
            for (way, rows) in [("scan", found), ("JSON", throughJSON), ("protobuf", throughProtobuf)] where rows != expected {
                let missing = expected.subtracting(rows)
                let strange = rows.subtracting(expected)
                Issue.record(
                    """
                    seed \(seed), \(signal.name) \(when), through \(way): \(missing.count) of \(expected.count) rows are missing, \(strange.count) are strange
                    expected \(try missing.prefix(1).map { try groups(decode(&decoder, $0, .protobuf)) })
                    found \(try strange.prefix(1).map { try groups(decode(&decoder, $0, .protobuf)) })
                    """)
            }
        }

        func open() async throws {
            (flushes, merges) = (flushes + store.statistics.flushes, merges + store.statistics.merges)
            store = try await SQLiteStore.open(folder: folder.path, options: Self.options)
        }

        for step in 0..<36 {
            let message = random.list(1...4) { random in
                let (resource, scope) = streams.randomElement(using: &random) ?? (Resource(), InstrumentationScope())
                return OTLPScopeGroup(resource: resource, scope: scope, rows: random.list(1...6, row))
            }
            let format: OTLPFormat = random.chance(50) ? .json : .protobuf
            let batch = try decode(&decoder, encode(message, format), format)
            let receipt = try await store.append(WriteSet(batches: [batch]))
            #expect(receipt.rejected.isEmpty && !receipt.isDuplicate, "seed \(seed)")
            for group in message { add(&expected, group) }
            if random.chance(25) { try await store.flush() }
            if random.chance(10) {
                // As a crash would leave it: what is not in files comes back from redo.
                try await store.stop(flushing: false)
                try await open()
            }
            if step % 12 == 5 { try await check("after request \(step)") }
        }
        try await store.flush()
        try await check("after a flush")
        try await store.close()
        try await open()
        try await check("after a restart")
        (flushes, merges) = (flushes + store.statistics.flushes, merges + store.statistics.merges)
        try await store.close()

        #expect(flushes > 4 && merges > 0, "seed \(seed): \(flushes) flushes, \(merges) merges")
        let days = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/data/\(signal.name)").filter { $0 != "l0" }
        #expect(days.count > 2, "seed \(seed): files of single days, not only \(days)")
    }
}
