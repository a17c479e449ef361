import OrielStore
import Testing

@testable import OrielCollector

/// The file with tokens for the first start.
@Suite struct TokensFileTests {
    private static func parse(_ text: String) throws -> [TokenRecord] {
        try TokensFile.parse(Array(text.utf8), path: "t.yaml")
    }

    @Test func aFileIsRead() throws {
        let records = try Self.parse(
            """
            tokens:
              - name: gateway
                token: abcdefghijklmnopqrstuvwxyz
                scopes: [ingest]
                tenant: acme
                limits: {requests: 32, ingest_bytes_per_second: 4MiB}
              - name: ops
                sha256: BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD
                scopes: [query, metrics, admin]
            """)
        #expect(records.map(\.name) == ["gateway", "ops"])
        #expect(records[0].tenant == "acme" && records[0].scopes == [.ingest])
        #expect(records[0].limits == TokenLimits(requests: 32, ingestBytesPerSecond: 4 << 20))
        #expect(records[1].digest == Array(AccessToken.digest(of: "abc")) && records[1].scopes == [.query, .metrics, .admin])
        #expect(try Self.parse("").isEmpty)
    }

    @Test(arguments: [
        ("tokns: []", "t.yaml:1:1: unknown setting \"tokns\" (did you mean \"tokens\"?)"),
        ("tokens: x", "t.yaml:1:9: tokens is a list"),
        ("tokens: [{name: a, scopes: [ingest]}]", "neither token nor sha256"),
        ("tokens: [{name: a, token: short, scopes: [ingest]}]", "t.yaml:1:27: a token has at least 20"),
        ("tokens: [{name: a, sha256: abcd, scopes: [ingest]}]", "64 hexadecimal digits"),
        ("tokens: [{name: a, token: abcdefghijklmnopqrstuvwxyz}]", "at least one scope"),
        ("tokens: [{name: a, token: abcdefghijklmnopqrstuvwxyz, scopes: [ingst]}]", "did you mean \"ingest\""),
        ("tokens: [{name: a b, token: abcdefghijklmnopqrstuvwxyz, scopes: [ingest]}]", "a token is named by"),
        ("tokens: [{name: a, tenant: ä, token: abcdefghijklmnopqrstuvwxyz, scopes: [ingest]}]", "a tenant is named by"),
        ("tokens: [{name: a, tenant: x, token: abcdefghijklmnopqrstuvwxyz, scopes: [metrics]}]", "about all tenants"),
        ("tokens: [{name: a, token: abcdefghijklmnopqrstuvwxyz, scopes: [ingest], limits: {requests: 0}}]", "from 1 up"),
        (
            "tokens: [{name: a, token: abcdefghijklmnopqrstuvwxyz, scopes: [ingest]}, {name: a, token: abcdefghijklmnopqrstuvwxyzz, scopes: [ingest]}]",
            "occurs twice"
        ),
    ])
    func mistakes(text: String, problem: String) {
        do {
            _ = try Self.parse(text)
            Issue.record("\(text) was taken")
        } catch {
            #expect("\(error)".contains(problem), "\(error)")
        }
    }
}
