public import OrielStore
import OrielTelemetry

/// Tokens lie in app.db, which outlives a lost hot.db.
extension SQLiteStore: TokenStore {
    public func tokens() async throws(StoreError) -> [TokenRecord] {
        try withAppDatabase { connection in
            let select = try connection.prepare(
                "SELECT id, name, digest, scopes, tenant, requests, queries, ingest, created FROM token ORDER BY created, id")
            var records: [TokenRecord] = []
            while try select.step() {
                let scopes = (select.text(3) ?? "").split(separator: ",").compactMap { AccessScope(rawValue: String($0)) }
                records.append(
                    TokenRecord(
                        id: select.text(0) ?? "", name: select.text(1) ?? "", digest: try select.blob(2, limit: 64), scopes: Set(scopes),
                        tenant: select.text(4),
                        limits: TokenLimits(requests: Self.count(select, 5), queries: Self.count(select, 6), ingestBytesPerSecond: Self.count(select, 7)),
                        created: Timestamp(nanoseconds: select.int64(8))))
            }
            return records
        }
    }

    public func insertToken(_ record: TokenRecord) async throws(StoreError) {
        try withAppDatabase { connection in
            let insert = try connection.prepare(
                "INSERT INTO token(id, name, digest, scopes, created, tenant, requests, queries, ingest) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)")
            try insert.bind(1, record.id)
            try insert.bind(2, record.name)
            let digest = record.digest
            try insert.bind(3, digest.span)
            try insert.bind(4, record.scopes.sorted().map(\.rawValue).joined(separator: ","))
            try insert.bind(5, record.created.nanoseconds)
            if let tenant = record.tenant { try insert.bind(6, tenant) } else { try insert.bindNull(6) }
            let limits = [record.limits.requests, record.limits.queries, record.limits.ingestBytesPerSecond]
            for (index, limit) in limits.enumerated() {
                if let limit { try insert.bind(7 + index, Int64(limit)) } else { try insert.bindNull(7 + index) }
            }
            try insert.run()
        }
    }

    public func removeToken(id: String) async throws(StoreError) -> Bool {
        try withAppDatabase { connection in
            let delete = try connection.prepare("DELETE FROM token WHERE id = ? RETURNING id")
            try delete.bind(1, id)
            var found = false
            while try delete.step() { found = true }
            return found
        }
    }

    private static func count(_ statement: Statement, _ column: Int) -> Int? {
        statement.isNull(column) ? nil : Int(statement.int64(column))
    }

    private func withAppDatabase<Value>(_ body: (Connection) throws -> Value) throws(StoreError) -> Value {
        let core = try openCore
        do {
            return try core.withAppDatabase(body)
        } catch let error as StoreError {
            throw error
        } catch {
            throw .unusable(path: core.folder + "/app.db", reason: "\(error)")
        }
    }
}
