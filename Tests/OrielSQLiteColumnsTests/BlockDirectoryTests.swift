import OrielCompression
import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

@Suite struct BlockDirectoryTests {
    private func someDirectories() throws -> [BlockDirectory] {
        try [Signal.spans, .samples, .logs].map { signal in
            var rows = RandomRows(signal, seed: 70)
            rows.keyCount = 30
            let run = try #require(try SealedRun.seal([rows.chunk(rows: 60)], signal: signal, registry: rows.registry))
            var directory = run.encoded[0].directory
            // More filters than so few rows have.
            for index in directory.columns.indices.prefix(9) {
                directory.columns[index].filters = [BlockColumn.FilterEntry(kind: .values, byteCount: 37)]
                if index % 2 == 0 { directory.columns[index].filters.append(BlockColumn.FilterEntry(kind: .tokens, byteCount: 69)) }
                if index % 3 == 0 {
                    directory.columns[index].inlineFilters = [UInt8](repeating: 7, count: directory.columns[index].filterByteCount)
                }
            }
            return directory
        }
    }

    @Test func encodedDirectoriesRoundTrip() throws {
        var encoder = IntegerEncoder()
        for directory in try someDirectories() {
            let bytes = directory.encoded(using: &encoder)
            #expect(try BlockDirectory(encoded: bytes.span) == directory)
        }
    }

    @Test func everyFlippedByteIsAnErrorAndHostileBytesDoNotCrash() throws {
        var encoder = IntegerEncoder()
        var random = Seeded(71)
        for directory in try someDirectories() {
            let bytes = directory.encoded(using: &encoder)
            for index in bytes.indices {
                var broken = bytes
                broken[index] ^= UInt8(1 + random.below(255))
                #expect(throws: ColumnError.self) { try BlockDirectory(encoded: broken.span) }
            }
            for _ in 0..<(2000 * Fuzz.rounds) {
                var broken = Array(bytes.dropLast(4))
                for _ in 0...random.below(3) { broken[random.below(broken.count)] = UInt8(truncatingIfNeeded: random.next()) }
                if random.chance(20) { broken.removeLast(random.below(broken.count)) }
                broken.append(littleEndian: CRC32C.checksum(broken.span))
                do throws(ColumnError) {
                    let directory = try BlockDirectory(encoded: broken.span)
                    #expect(directory.rowCount <= BlockDirectory.maximumRows)
                } catch {
                    #expect(error.offset >= 0)
                }
            }
        }
    }
}
