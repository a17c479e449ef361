import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

/// Tokens in app.db.
@Suite struct TokenStoreTests {
    private static func record(_ id: String, name: String, byte: UInt8, created: Int64) -> TokenRecord {
        TokenRecord(
            id: id, name: name, digest: Array(repeating: byte, count: 32), scopes: [.ingest, .query], tenant: byte == 1 ? "acme" : nil,
            limits: TokenLimits(requests: byte == 1 ? 5 : nil, ingestBytesPerSecond: byte == 1 ? nil : 1000), created: Timestamp(nanoseconds: created))
    }

    @Test func tokensOutliveTheProcessAndHotDB() async throws {
        let place = try SQLiteFolder()
        let folder = place.path
        let (first, second) = (Self.record("a", name: "one", byte: 1, created: 2), Self.record("b", name: "two", byte: 2, created: 1))
        let store = try await SQLiteStore.open(folder: folder)
        #expect(try await store.tokens().isEmpty)
        try await store.insertToken(first)
        try await store.insertToken(second)
        #expect(try await store.tokens() == [second, first])
        // The id, the name and the digest are each one token's only.
        for taken in [
            Self.record("a", name: "three", byte: 3, created: 3), Self.record("c", name: "one", byte: 3, created: 3),
            Self.record("c", name: "three", byte: 2, created: 3),
        ] {
            await #expect(throws: StoreError.self) { try await store.insertToken(taken) }
        }
        // A floor is noted in the same file.
        try await store.retain(.logs, from: Timestamp(nanoseconds: 5))
        try await store.close()
        await #expect(throws: StoreError.closed) { try await store.tokens() }
        let reopened = try await SQLiteStore.open(folder: folder)
        #expect(try await reopened.tokens() == [second, first])
        #expect(try await reopened.removeToken(id: "a"))
        #expect(try await !reopened.removeToken(id: "a"))
        #expect(try await reopened.tokens() == [second])
        try await reopened.close()
    }
}
