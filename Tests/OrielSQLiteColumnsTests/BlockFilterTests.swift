import OrielCompression
import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

@Suite struct BlockFilterTests {
    private func filter(_ hashes: [UInt64]) throws -> BlockFilter {
        var bytes: [UInt8] = []
        BlockFilter.append(hashes, to: &bytes)
        return try BlockFilter(encoded: bytes)
    }

    private func hash(_ number: Int) -> UInt64 { TextTokens.hash(value: Array("token \(number)".utf8).span) }

    @Test(arguments: [0, 1, 7, 100, 20_000])
    func whatWasPutInIsFoundAndLittleElse(count: Int) throws {
        let filter = try filter((0..<count).map { hash($0) })
        for number in 0..<count { #expect(filter.mayContain(hash(number))) }
        let others = (0..<20_000).count { filter.mayContain(hash(1_000_000 + $0)) }
        #expect(others < 200, "\(others) of 20000 others pass")
        #expect(filter.bytes.count <= count * 12 / 8 + 64)
    }

    @Test func everyFlippedByteIsAnErrorAndHostileBytesDoNotCrash() throws {
        let bytes = try filter((0..<40).map { hash($0) }).bytes
        var random = Seeded(5)
        for index in bytes.indices {
            var broken = bytes
            broken[index] ^= UInt8(1 + random.below(255))
            #expect(throws: ColumnError.self) { try BlockFilter(encoded: broken) }
        }
        for length in 0..<bytes.count { #expect(throws: ColumnError.self) { try BlockFilter(encoded: Array(bytes[..<length])) } }
        for _ in 0..<(500 * Fuzz.rounds) {
            var broken = (0..<random.below(120)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            if !broken.isEmpty, random.chance(70) { broken[0] = BlockFilter.version }
            broken.append(littleEndian: CRC32C.checksum(broken.span))
            do throws(ColumnError) {
                let filter = try BlockFilter(encoded: broken)
                _ = filter.mayContain(random.next())
            } catch {
                #expect(error.offset >= 0)
            }
        }
    }
}
